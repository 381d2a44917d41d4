// Sends with firebase-admin: send() goes over HTTP/1.1, sendEach() over HTTP/2.
const { initializeApp, cert } = require("firebase-admin/app");
const { getMessaging } = require("firebase-admin/messaging");
const env = process.env;

const app = initializeApp({ credential: cert(env.SERVICE_ACCOUNT) });
const messaging = getMessaging(app);

function said(result) {
  if (typeof result === "string") return "accepted";
  return result.code.replace("messaging/", "");
}

(async () => {
  const seen = {};
  const tokens = [env.GOOD, env.REJECTED, env.GONE];
  const kinds = ["good", "rejected", "gone"];
  const each = await messaging.sendEach(
    tokens.map((token) => ({ token, notification: { title: "hello" } })));
  for (let i = 0; i < kinds.length; ++i) {
    const alone = said(await messaging.send({ token: tokens[i], data: { k: "v" } }).catch((e) => e));
    const { messageId, error } = each.responses[i];
    const together = said(messageId || error);
    seen[kinds[i]] = alone === together ? alone : `send: ${alone}, sendEach: ${together}`;
  }
  console.log(JSON.stringify(seen));
  await app.delete?.();
  process.exit(0); // the HTTP/2 session would keep it for some minutes
})();
