"""What others' days taught, seen from outside with whole programs: outside_days.py SCENARIO."""

import hashlib
import http.client
import socket
import sys
import urllib.parse

from scenario import (QUICK, check, live_tokens, publish, register, run_chosen, stage, tokens, view_of, wait_for_job,
                      wait_until)

from launcher import merged, port_of, request


def raw(node, text):
    """Sends bytes as they are; the status of the answer and its body."""
    with socket.create_connection(("127.0.0.1", port_of(node.url)), timeout=30) as connection:
        connection.sendall(text)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read().decode(errors="replace")


def push_as(host, origin=None):
    body = b'{"title":"t"}'
    head = f"POST /v1/topics/news/publish HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    if origin:
        head += f"Origin: {origin}\r\n"
    return (head + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n").encode() + body


def last_of(simulator, token):
    query = urllib.parse.quote(token, safe="")
    status, _, device = request("GET", f"{simulator.info['admin']}/stats/devices?token={query}")
    check(status == 200, f"the simulator knows nothing of {token}: {device}")
    return device["last"]


def send_one(node, simulator, token, push):
    """Pushes to one APNs device; what it got."""
    status, _, body = node.call("POST", "/v1/notifications",
                                {"tokens": [{"platform": "apns", "token": token}], **push})
    check(status == 202, f"{push}: {status} {body}")
    view = wait_for_job(node, body["job_id"])
    check(view["counts"]["accepted"] == 1, f"{push}: {view}")
    return last_of(simulator, token)


def a_name_that_a_page_chose_is_not_served():
    with stage(QUICK) as (node, simulator):
        register(node, tokens(1), "news")
        port = port_of(node.url)
        for host in ("rebound.example", f"rebound.example:{port}"):
            status, body = raw(node, push_as(host, f"http://{host}"))
            check(status == 421, f"{host}: {status} {body}")
            status, body = raw(node, f"GET /v1/users HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            check(status == 421, f"{host}: {status} {body}")
        for host in ("localhost", f"localhost:{port}", f"127.0.0.1:{port}", f"[::1]:{port}"):
            status, body = raw(node, push_as(host))
            check(status == 202, f"{host}: {status} {body}")
    with stage(merged(QUICK, {"http": {"hosts": '["push.example"]'}})) as (node, simulator):
        register(node, tokens(1), "news")
        check(raw(node, push_as("push.example"))[0] == 202, "a name of http.hosts is refused")
        check(raw(node, push_as("other.example"))[0] == 421, "another name is served")


def one_devices_refusal_stops_nobody():
    # A share of what looks like the account's refusal among answers that are good.
    for fault in ("403 InvalidProviderToken", "403 SomethingNew", "400 BadTopic"):
        with stage(QUICK) as (node, simulator):
            register(node, tokens(2_000), "news")
            simulator.faults({"apns": {"mix": {fault: 0.002}}})
            counts = wait_for_job(node, publish(node, "news"))["counts"]
            check(counts["accepted"] >= 1_950, f"{fault}: {counts}")
            simulator.faults({"apns": {"mix": {}}})
            again = wait_for_job(node, publish(node, "news"), seconds=60)["counts"]
            check(again["accepted"] == 2_000, f"after {fault}: {again}")


def a_small_base_is_not_wiped_by_a_wrong_environment():
    with stage(QUICK) as (node, simulator):
        register(node, tokens(30), "news")
        simulator.faults({"apns": {"mix": {"400 BadDeviceToken": 1}}})
        counts = wait_for_job(node, publish(node, "news"))["counts"]
        check(counts["rejected"] == 30, f"{counts}")
        check(live_tokens(node, "news") == 30, "tokens were invalidated though nothing was ever accepted")
        simulator.faults({"apns": {"mix": {}}})
        counts = wait_for_job(node, publish(node, "news"))["counts"]
        check(counts["accepted"] == 30, f"{counts}")


def a_wrong_bundle_loses_no_push():
    with stage(QUICK) as (node, simulator):
        register(node, tokens(20), "news")
        simulator.faults({"apns": {"mix": {"400 BadTopic": 1}}})
        job = publish(node, "news")
        breakers = wait_until(lambda: node.call("GET", "/v1/breakers")[2]["items"], "a breaker opens")
        check(breakers[0]["kind"] == "configuration" and "BadTopic" in breakers[0]["reason"], f"{breakers}")
        check(view_of(node, job)["completed_at"] is None, "the push was lost")
        simulator.faults({"apns": {"mix": {}}})
        node.call("POST", "/v1/breakers:reset", {"kind": "configuration"})
        counts = wait_for_job(node, job)["counts"]
        check(counts["accepted"] == 20, f"{counts}")


def numbers_and_ids_go_out_as_they_were_sent():
    with stage(QUICK) as (node, simulator):
        simulator.faults({"record_devices": True})
        token = tokens(1)[0]
        push = (b'{"title":"t","apns":{"payload":{"price":12345678901234.56789,"much":1e2,"one":1.0}},'
                b'"tokens":[{"platform":"apns","token":"' + token.encode() + b'"}]}')
        status, _, body = node.call("POST", "/v1/notifications", push)
        check(status == 202, f"{status} {body}")
        wait_for_job(node, body["job_id"])
        text = last_of(simulator, token)["body_text"]
        for literal in ('"price":12345678901234.56789', '"much":1e2', '"one":1.0'):
            check(literal in text, f"{literal} is not in {text}")
        collapsed = send_one(node, simulator, token, {"title": "t", "collapse_id": "grüße"})
        check(collapsed["headers"]["apns-collapse-id"] == hashlib.sha256("grüße".encode()).hexdigest(),
              f"{collapsed['headers']}")


def a_badge_alone_and_a_callers_headers():
    with stage(QUICK) as (node, simulator):
        simulator.faults({"record_devices": True})
        token = tokens(1)[0]
        got = send_one(node, simulator, token, {"badge": 0})
        check(got["headers"]["apns-push-type"] == "alert" and got["body"]["aps"] == {"badge": 0}, f"{got}")
        got = send_one(node, simulator, token, {
            "title": "t", "apns": {"headers": {"apns-priority": "5", "apns-collapse-id": "mine"},
                                   "payload": {"aps": {"sound": "ping.caf"}, "mine": 1}}})
        check(got["headers"]["apns-priority"] == "5" and got["headers"]["apns-collapse-id"] == "mine", f"{got}")
        check(got["body"]["mine"] == 1 and got["body"]["aps"]["sound"] == "ping.caf", f"{got}")
        check("headers" not in got["body"] and "payload" not in got["body"], f"{got}")
        for wrong in ({"silent": True, "badge": 3}, {"silent": True, "title": "t"}, {}, {"badge": None},
                      {"title": "t", "apns": {"headers": {"x-mine": "1"}, "payload": {}}}):
            status, _, body = node.call("POST", "/v1/notifications", {
                "tokens": [{"platform": "apns", "token": token}], **wrong})
            check(status == 400 and body["errors"], f"{wrong}: {status} {body}")


def every_push_type_goes_to_its_topic():
    suffixes = {"voip": ".voip", "complication": ".complication", "location": ".location-query",
                "fileprovider": ".pushkit.fileprovider", "pushtotalk": ".voip-ptt", "widgets": ".push-type.widgets",
                "controls": ".push-type.controls"}
    with stage(QUICK) as (node, simulator):
        simulator.faults({"record_devices": True})
        token = tokens(1)[0]
        bundle = send_one(node, simulator, token, {"title": "t"})["headers"]["apns-topic"]
        for push_type, suffix in suffixes.items():
            got = send_one(node, simulator, token, {"data": {"k": push_type},
                                                    "apns": {"headers": {"apns-push-type": push_type}}})
            check(got["headers"]["apns-push-type"] == push_type and got["headers"]["apns-topic"] == bundle + suffix,
                  f"{push_type}: {got}")
        status, _, body = node.call("POST", "/v1/notifications", {
            "tokens": [{"platform": "apns", "token": token}], "title": "t",
            "apns": {"headers": {"apns-push-type": "voip", "apns-topic": bundle}}})
        check(status == 400 and body["errors"][0]["pointer"] == "/apns/headers/apns-topic", f"{status} {body}")


def files_and_targets_in_other_shapes():
    with stage(QUICK) as (node, simulator):
        first, second = tokens(2)
        lines = "".join(f'{{"platform":"apns","token":"{one}","topics":["news"]}}\r\n' for one in (first, second))
        marked = b"\xef\xbb\xbf" + lines.encode()
        status, _, body = node.call("POST", "/v1/tokens:batch", marked, content_type="application/x-ndjson")
        check(status == 200 and live_tokens(node, "news") == 2, f"{status} {body}")
        status, _, body = node.call("POST", "/v1/tokens:batch", marked, content_type="application/jsonl")
        check(status in (200, 415) and (status == 200 or "application/x-ndjson" in body["detail"]), f"{status} {body}")
        status, _, body = node.call("POST", "/v1/topics/news/publish",
                                    b"\xef\xbb\xbf" + b'{"title":"t","sound":null,"ttl":null,"lane":null,"data":null}')
        check(status == 202, f"{status} {body}")
        for target in (b"/v1/users/a#b", "/v1/users/gr\u00fc\u00dfe".encode(), b"/v1/users/a\xff"):
            status, text = raw(node, b"GET " + target + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            check(status == 400, f"{target}: {status} {text}")
        status, text = raw(node, b"POST /v1/tokens:batch HTTP/1.1\r\nHost: localhost\r\n"
                                 b"Content-Type: application/x-ndjson\r\nConnection: close\r\n\r\n")
        check(status == 411, f"without a length: {status} {text}")
        status, _, body = node.call("POST", "/v1/topics/news/publish",
                                    {"title": "t", "scheduled_at": "2126-01-01T00:00:00Z"})
        check(status == 400 and body["errors"][0]["pointer"] == "/scheduled_at", f"{status} {body}")


# APNs alone: what FCM would get is bounded by FCM's own limit.
APNS_ALONE = merged(QUICK, {"fcm": {"service-account-file": '""'}, "lane": {"live-activity": QUICK["lane"]["push"]}})
MATCH = {"activityId": "match", "activityType": "match", "topicId": "news"}
LOOKS = {"alert": {"title": "Kick-off"}, "attributesType": "Match", "attributes": {}}


def live_activity(node, action, state, expected=202, **options):
    """Sends an event of the activity; the view of its dispatch, or why it was refused."""
    event = {"action": action, "payload": state, "options": options}
    event.update(MATCH if action == "start" else {"activityId": MATCH["activityId"]})
    status, _, body = node.call("POST", "/v1/live-activity/jobs", event)
    check(status == expected, f"{action}: {status} {body}")
    return wait_for_job(node, body["dispatchId"]) if status == 202 else body


def with_update_token(node, **start_options):
    """Starts the activity; the token of its one device."""
    start, update = tokens(2)
    for kind, token, more in (("start", start, {}), ("update", update, {"activityId": "match"})):
        status, _, body = node.call("POST", "/v1/live-activity/tokens", {
            "userId": "u", "topicId": "news", "platform": "apns", "tokenType": kind, "token": token, **more})
        check(status == 201, f"{kind}: {status} {body}")
    counts = live_activity(node, "start", {"n": 0}, **LOOKS, **start_options)["counts"]
    check(counts["accepted"] >= 1, f"{counts}")
    return update


def a_live_activitys_own_timestamp_and_expiration():
    with stage(APNS_ALONE) as (node, simulator):
        token = with_update_token(node, timestamp=1_700_000_000)
        for asked, got in ((1_700_000_100, 1_700_000_100), (1_600_000_000, 1_700_000_100),
                           (1_700_000_200, 1_700_000_200)):
            view = live_activity(node, "update", {"n": asked}, timestamp=asked, expiration=4_000_000_000)
            check(view["counts"]["accepted"] == 1, f"{view}")
            last = last_of(simulator, token)
            check(last["body"]["aps"]["timestamp"] == got, f"{asked}: {last['body']}")
            check(last["headers"]["apns-expiration"] == "4000000000", f"{last['headers']}")
        live_activity(node, "update", {"n": 1}, expiration=0)
        check(last_of(simulator, token)["headers"]["apns-expiration"] == "0", "0 is not sent as 0")
        body = live_activity(node, "update", {"n": 1}, 400, expiration=1_700_000_000)
        check(body["errors"][0]["pointer"] == "/options/expiration", f"{body}")
        stats = simulator.stats()
        check(stats["timestamp_decreased"] == 0 and stats["rejected"] == 0, f"{stats}")


def a_broadcast_may_have_5120_bytes():
    """And what goes to devices one by one 4,096; both to the byte."""
    with stage(APNS_ALONE) as (node, simulator):
        token = with_update_token(node)
        live_activity(node, "update", {"s": ""})
        around = len(last_of(simulator, token)["body_text"])
        view = live_activity(node, "update", {"s": "x" * (4096 - around)})
        check(view["counts"]["accepted"] == 1 and len(last_of(simulator, token)["body_text"]) == 4096, f"{view}")
        body = live_activity(node, "update", {"s": "x" * (4097 - around)}, 400)
        check("4097 bytes, and the limit is 4096" in str(body), f"{body}")
    with stage(APNS_ALONE) as (node, simulator):
        status, _, body = node.call("POST", "/v1/live-activity/channels", {"messageStoragePolicy": "none"})
        check(status == 201, f"{status} {body}")
        channel = body["channelId"]
        with_update_token(node, inputPushChannel=channel)
        for size in (4097, 5120):
            view = live_activity(node, "update", {"s": "x" * (size - around)})
            check(view["counts"]["accepted"] == 1, f"{size}: {view}")
            last = last_of(simulator, channel)
            check(len(last["body_text"]) == size, f"{size}: {len(last['body_text'])}")
        body = live_activity(node, "update", {"s": "x" * (5121 - around)}, 400)
        check("5121 bytes, and the limit is 5120" in str(body), f"{body}")
        view = live_activity(node, "end", {"s": "x" * (5118 - around)})
        check(view["counts"]["accepted"] == 1, f"{view}")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
