// Sends with @parse/node-apn, as its README shows: to Apple's production host.
const apn = require("@parse/node-apn");
const env = process.env;

const provider = new apn.Provider({
  token: { key: env.APNS_KEY, keyId: env.APNS_KEY_ID, teamId: env.APNS_TEAM_ID },
  production: true,
});

async function send(device) {
  const note = new apn.Notification({ alert: "hello", topic: env.APNS_TOPIC });
  const result = await provider.send(note, device);
  if (result.sent.length === 1) return "accepted";
  const { response, error, status } = result.failed[0];
  return response ? response.reason : `${error || status}`;
}

(async () => {
  const seen = {};
  for (const kind of ["good", "rejected", "gone"]) seen[kind] = await send(env[kind.toUpperCase()]);
  console.log(JSON.stringify(seen));
  await provider.shutdown();
})();
