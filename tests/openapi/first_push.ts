// The README's first push, a Live Activity and a cancel, by a client whose types come from the document.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Job = components["schemas"]["Job"];
type Push = components["schemas"]["Push"];
type Problem = components["schemas"]["Problem"];

const address = process.argv[2];
if (address === undefined) throw new Error("the node's address is missing");
const node = createClient<paths>({ baseUrl: address });

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

function answered<T>(answer: { data?: T; error?: Problem | unknown; response: Response }): T {
  check(answer.data !== undefined, `${answer.response.status}: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

async function ended(job: string): Promise<Job> {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const view = answered(await node.GET("/v1/notifications/{job}", { params: { path: { job } } }));
    if (view.completed_at !== null) return view;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`job ${job} does not end`);
}

async function firstPush() {
  const registered = answered(
    await node.POST("/v1/tokens:batch", {
      body: { tokens: [{ id: "ada", platform: "apns", token: "00112233".repeat(8), topics: ["news"] }] },
    }),
  );
  check(registered.refused === 0, JSON.stringify(registered.errors));
  const push: Push = { title: "Hello", body: "Ada", apns: { payload: { aps: { sound: "ping" } } } };
  const sent = answered(await node.POST("/v1/users/{user}/send", { params: { path: { user: "ada" } }, body: push }));
  const published = answered(
    await node.POST("/v1/topics/{topic}/publish", {
      params: { path: { topic: "news" } },
      body: { title: "News", body: "of the day", data: { edition: "evening" }, receipts: "all" },
    }),
  );
  check("job_id" in sent && "job_id" in published, "no dry run was asked for");
  for (const job of [sent.job_id, published.job_id]) {
    const { status, counts } = await ended(job);
    check(status === "COMPLETED" && counts.accepted === 1, `${job}: ${status} ${JSON.stringify(counts)}`);
  }
  const receipts = answered(
    await node.GET("/v1/notifications/{job}/receipts", { params: { path: { job: published.job_id } } }),
  );
  check(receipts.items[0]?.status === "accepted" && !receipts.has_more, JSON.stringify(receipts));
  const dry = answered(
    await node.POST("/v1/notifications", { body: { users: ["ada"], title: "Hello", dry_run: true } }),
  );
  check("rendered" in dry && dry.rendered.apns?.payload["aps"] !== undefined, JSON.stringify(dry));
  return sent.job_id;
}

async function liveActivity() {
  const token = { userId: "ada", platform: "apns", token: "44556677".repeat(8) } as const;
  answered(await node.POST("/v1/live-activity/tokens", { body: { ...token, tokenType: "start" } }));
  const dispatch = async (body: components["schemas"]["ActivityRequest"]) => {
    const { dispatchId } = answered(await node.POST("/v1/live-activity/jobs", { body }));
    check(dispatchId !== undefined, `${body.action}: nothing was made`);
    const { counts } = await ended(dispatchId);
    check(counts.accepted === 1, `${body.action}: ${JSON.stringify(counts)}`);
  };
  await dispatch({
    action: "start",
    activityId: "match-7",
    activityType: "match",
    userId: "ada",
    payload: { home: 0, guests: 0 },
    options: { alert: { title: "Kick-off" }, attributesType: "Match", attributes: { home: "Lions" } },
  });
  answered(
    await node.POST("/v1/live-activity/tokens", {
      body: { ...token, token: "8899aabb".repeat(8), tokenType: "update", activityId: "match-7" },
    }),
  );
  await dispatch({ action: "update", activityId: "match-7", payload: { home: 1, guests: 0 } });
  await dispatch({ action: "end", activityId: "match-7" });
  const path = { activity: "match-7" };
  const activity = answered(await node.GET("/v1/live-activity/jobs/{activity}", { params: { path } }));
  check(activity.status === "CLOSED" && activity.payload?.["home"] === 1, JSON.stringify(activity));
  const page = answered(await node.GET("/v1/live-activity/jobs/{activity}/dispatches", { params: { path } }));
  const actions = page.items.map((dispatch) => dispatch.action).join();
  check(actions === "end,update,start" && page.next_cursor === null, actions);
}

async function cancel(sent: string) {
  const scheduled_at = new Date(Date.now() + 3_600_000).toISOString();
  const job = answered(
    await node.POST("/v1/users/{user}/send", {
      params: { path: { user: "ada" } },
      body: { badge: 1, scheduled_at, reference: "later" },
    }),
  );
  check("job_id" in job && job.status === "scheduled", JSON.stringify(job));
  const view = answered(await node.DELETE("/v1/notifications/{job}", { params: { path: { job: job.job_id } } }));
  check(view.status === "CANCELLED" && view.reference === "later", JSON.stringify(view));
  const late = await node.DELETE("/v1/notifications/{job}", { params: { path: { job: sent } } });
  check(late.response.status === 409 && late.error?.status === 409, JSON.stringify(late.error));
}

// Never called: that it compiles says that the compiler sees these mistakes.
export async function mistakes() {
  const params = { path: { user: "ada" } };
  // @ts-expect-error: no such member
  await node.POST("/v1/users/{user}/send", { params, body: { titel: "Hello" } satisfies Push });
  // @ts-expect-error: no number
  await node.POST("/v1/users/{user}/send", { params, body: { title: "Hello", badge: "1" } });
  // @ts-expect-error: no such priority
  await node.POST("/v1/topics/{topic}/publish", { params: { path: { topic: "t" } }, body: { title: "Hello", priority: "urgent" } });
  // @ts-expect-error: no such member of a target
  await node.POST("/v1/notifications", { body: { title: "Hello", tokens: [{ platform: "apns", tokn: "00" }] } });
  // @ts-expect-error: no such action
  await node.POST("/v1/live-activity/jobs", { body: { action: "stop", activityId: "match-7" } });
  // @ts-expect-error: no such member of a user
  answered(await node.GET("/v1/users")).items[0]?.name;
}

const sent = await firstPush();
await liveActivity();
await cancel(sent);
