"""What callers see at the door, from outside, with whole programs: door_days.py SCENARIO."""

import sys
import time
import urllib.parse

from scenario import QUICK, check, publish, register, run_chosen, stage, tokens, view_of, wait_for_job


def items_of(node, path, **query):
    """All items of a list, page by page."""
    items, cursor = [], None
    while True:
        more = {**query, **({"cursor": cursor} if cursor else {})}
        status, _, page = node.call("GET", f"{path}?{urllib.parse.urlencode(more)}")
        check(status == 200, f"{path} {query}: {status} {page}")
        items += page["items"]
        cursor = page["next_cursor"]
        check(page["has_more"] == (cursor is not None), f"{page}")
        if cursor is None:
            return items


def ids_of(node, **query):
    return [job["job_id"] for job in items_of(node, "/v1/notifications", **query)]


def jobs_are_found_by_what_callers_know_also_after_a_kill():
    with stage(QUICK) as (node, simulator):
        register(node, tokens(3), "news")
        register(node, tokens(1, seed=2), "sport")
        first = publish(node, "news", reference="order 7/ü")
        second = publish(node, "sport", reference="order-8")
        for job in (first, second):
            wait_for_job(node, job)
        far = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400))
        waiting = publish(node, "news", scheduled_at=far, reference="order-8")
        status, _, body = node.call("DELETE", f"/v1/notifications/{waiting}")
        check(status == 200 and body["reference"] == "order-8", f"{status} {body}")
        start = {"action": "start", "activityId": "match", "activityType": "match", "topicId": "news",
                 "payload": {"n": 1}, "reference": "kick-off",
                 "options": {"alert": {"title": "t"}, "attributesType": "T", "attributes": {}}}
        status, _, body = node.call("POST", "/v1/live-activity/jobs", start)
        check(status == 202 and body["reference"] == "kick-off", f"{status} {body}")
        dispatch = body["dispatchId"]
        wait_for_job(node, dispatch)
        for _ in range(2):
            check(ids_of(node) == [dispatch, waiting, second, first], f"all jobs: {ids_of(node)}")
            check(ids_of(node, limit=1) == ids_of(node), "page by page is the same")
            check(ids_of(node, reference="order 7/ü") == [first], "by reference")
            check(ids_of(node, reference="order-8") == [waiting, second], "by reference, which two have")
            check(ids_of(node, status="CANCELLED") == [waiting], "by status")
            check(ids_of(node, lane="live-activity") == [dispatch], "by lane")
            check(ids_of(node, topic="sport") == [second], "by topic")
            check(ids_of(node, topic="news", status="COMPLETED") == [first], "by topic and status")
            check(ids_of(node, since=view_of(node, second)["created_at"], lane="push") == [waiting, second],
                  "since a time")
            check(ids_of(node, stale="1d") == [], "nothing is stale")
            node.kill()
            node.start()


def a_mistaken_parameter_is_named_and_does_nothing():
    with stage(QUICK) as (node, simulator):
        register(node, tokens(1), "news", users=True)
        for method, path, name in [
                ("GET", "/v1/notifications?colour=red", "colour"),
                ("GET", "/v1/notifications?status=done", "status"),
                ("GET", "/v1/notifications?since=today", "since"),
                ("GET", "/v1/notifications?stale=soon", "stale"),
                ("GET", "/v1/notifications?reference=", "reference"),
                ("POST", "/v1/users/user-0/send?dry_run=true", "dry_run"),
                ("POST", "/v1/topics/news/publish?dry_run=true", "dry_run"),
                ("DELETE", "/v1/users/user-0?dry_run=true", "dry_run"),
                ("DELETE", "/v1/topics/news?force=1", "force")]:
            status, _, body = node.call(method, path, {"title": "t"} if method == "POST" else None)
            check(status == 400 and body["errors"][0]["pointer"].strip("/") == name,
                  f"{method} {path}: {status} {body}")
        check(node.call("GET", "/v1/users/user-0")[0] == 200, "the user is gone")
        check(node.call("GET", "/v1/topics/news")[0] == 200, "the topic is gone")
        check(ids_of(node) == [], "something was queued")
        check(simulator.stats()["requests"] == 0, "something was sent")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
