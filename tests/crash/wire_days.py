"""The HTTP door as clients, browsers and exports of other systems knock at it: wire_days.py SCENARIO."""

import contextlib
import json
import select
import socket
import sys
import time

from scenario import check, run_chosen, stage, tokens, wait_until

from launcher import port_of

KIB = 1024
MIB = 1024 * KIB


def memory(node, name):
    """Bytes, as the kernel counts them for the node."""
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith(name + ":"):
                return int(line.split()[1]) * KIB
    raise KeyError(name)


def reset_peak(node):
    with open(f"/proc/{node.process.pid}/clear_refs", "w", encoding="ascii") as control:
        control.write("5")


class Client:
    """Sends exactly the bytes it is given."""

    def __init__(self, node, receive_buffer=None):
        self.socket = socket.socket()
        self.socket.settimeout(60)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", port_of(node.url)))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def answer(self):
        """(status, body) of the next answer."""
        received = b""
        while b"\r\n\r\n" not in received:
            piece = self.socket.recv(65536)
            check(piece, f"the node closed without an answer, after {received!r}")
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        while len(body) < int(fields.get("content-length", 0)):
            body += self.socket.recv(65536)
        return int(lines[0].split()[1]), body

    def ask(self, data):
        self.send(data)
        return self.answer()


def ask(node, data):
    with Client(node) as client:
        return client.ask(data)


def post(path, body, *fields, host="127.0.0.1"):
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", *fields]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + (body if isinstance(body, bytes) else body.encode())


def users(node):
    return [user["id"] for user in node.call("GET", "/v1/users")[2]["items"]]


NEW_USER = json.dumps({"id": "made"})
JSON_TYPE = "Content-Type: application/json"


def a_page_that_rebinds_its_name_reaches_nothing():
    with stage({"http": {"hosts": '["Push.Example.com", "signalbox"]'}}) as (node, _):
        port = port_of(node.url)
        for host in ("evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io",
                     "2130706433", "xn--n3h.example", "push.example.com.evil.example"):
            status, body = ask(node, post("/v1/users", NEW_USER, JSON_TYPE, f"Origin: http://{host}", host=host))
            check(status == 421 and b"http.hosts" in body, f"{host}: {status} {body}")
            for path in ("/v1/users", "/readyz", "/metrics", "/v1/ping", "/none"):
                status, _ = ask(node, f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")
                check(status == 421, f"{host}{path}: {status}")
            status, _ = ask(node, f"GET http://{host}/v1/users HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check(status == 421, f"absolute form with {host}: {status}")
        for head in ("Host: a@localhost", "Host: [::1", "Host: localhost:70000", "Host:", "X: y", "Host: a b", "Host: %6cocalhost",
                     "Host: localhost\r\nHost: localhost"):
            status, _ = ask(node, f"GET /v1/ping HTTP/1.1\r\n{head}\r\n\r\n")
            check(status == 400, f"{head!r}: {status}")
        for host in ("localhost", f"LOCALHOST:{port}", "localhost.", f"localhost.:{port}", "127.0.0.1",
                     f"127.0.0.1:{port}", "[::1]", f"[::1]:{port}", "10.1.2.3:1", "push.example.com",
                     "PUSH.example.com.:443", "signalbox:8080"):
            status, _ = ask(node, f"GET /v1/ping HTTP/1.1\r\nHost: {host}\r\n\r\n")
            check(status == 200, f"{host}: {status}")
        check(ask(node, f"GET http://localhost:{port}/v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")[0] == 200,
              "the absolute form is refused")
        check(users(node) == [], f"users were made: {users(node)}")


def a_page_of_another_origin_changes_nothing():
    with stage() as (node, _):
        for field in ("Origin: http://evil.example", "Origin: null", "Origin: http://localhost:1",
                      "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site"):
            for path, body in (("/v1/users/u/subscriptions/t", ""), ("/v1/users", NEW_USER)):
                status, _ = ask(node, post(path, body, "Content-Type: text/plain", field))
                check(status == 403, f"{field} at {path}: {status}")
        check(users(node) == [], f"users were made: {users(node)}")
        status, _ = ask(node, post("/v1/users", NEW_USER, JSON_TYPE, "Origin: http://127.0.0.1",
                                   "Sec-Fetch-Site: same-origin"))
        check(status == 201, f"a page of the node's own origin: {status}")


def exports_of_other_systems_are_taken_as_they_are():
    with stage() as (node, _):
        names = tokens(6)
        lines = "".join(json.dumps({"id": f"user-{i}", "platform": "apns", "token": name, "environment": None,
                                    "topics": None}) + "\r\n" for i, name in enumerate(names)).encode()
        mark = b"\xef\xbb\xbf"
        for kind in ("application/x-ndjson", "application/ndjson", "application/jsonl",
                     "application/x-jsonlines", "Application/NDJSON; charset=UTF-8"):
            status, body = ask(node, post("/v1/tokens:batch", mark + lines + mark + b"\r\n", f"Content-Type: {kind}"))
            check(status == 200 and json.loads(body)["refused"] == 0, f"{kind}: {status} {body}")
            check(json.loads(body)["created"] + json.loads(body)["updated"] == 6, f"{kind}: {body}")
        status, body = ask(node, post("/v1/tokens:batch", lines, "Content-Type: text/csv"))
        check(status == 415 and b"application/ndjson" in body and b"application/json" in body, f"csv: {body}")
        status, body = ask(node, post("/v1/users", mark + NEW_USER.encode(), JSON_TYPE))
        check(status == 201, f"a mark before JSON: {status} {body}")
        status, body = ask(node, b"POST /v1/tokens:batch HTTP/1.1\r\nHost: a.b\r\nContent-Type: application/x-ndjson"
                           b"\r\n\r\n".replace(b"a.b", b"127.0.0.1"))
        check(status == 411, f"an import without a length: {status} {body}")


def null_is_a_field_that_is_not_given():
    push = ("title", "body", "image_url", "sound", "badge", "data", "silent", "collapse_id", "priority", "thread_id",
            "category", "apns", "fcm", "ttl", "expires_at", "scheduled_at", "lane", "receipts", "on_unknown",
            "dry_run", "tokens", "users")
    options = ("ttl", "priority", "staleDate", "dismissalDate", "relevanceScore", "collapseId", "inputPushToken",
               "inputPushChannel", "inputPushChannelEnvironment", "receipts", "onUnknown", "apns", "fcm")
    with stage() as (node, _):
        def takes(path, body, *statuses):
            status, _, answer = node.call("POST", path, body)
            check(status in statuses, f"{path} with {body}: {status} {answer}")

        register = {"id": "u", "platform": "apns", "token": tokens(1)[0], "environment": None}
        takes("/v1/users/tokens", register, 201)
        takes("/v1/tokens:batch", {"tokens": [{**register, "topics": None}]}, 200)
        for name in push:
            body = {"title": "t", "body": "b", name: None}
            if name == "title":
                body["body"] = "b"
            takes("/v1/users/u/send", body, 202)
        takes("/v1/notifications", {"title": "t", "users": ["u"], "tokens": None}, 202)
        takes("/v1/topics", {"id": "t", "name": None}, 201)
        takes("/v1/breakers:reset", {"lane": None, "provider": None, "environment": None, "kind": None}, 200)
        takes("/v1/dead-letters:replay",
              {"app": None, "job": None, "lane": None, "reason": None, "dry_run": None}, 200)
        takes("/v1/notifications:cancel", {"user": "u", "topic": None, "created_before": None, "reason": None}, 200)
        takes("/v1/pauses", {"user": "u", "lane": None, "provider": None, "environment": None}, 201)
        takes("/v1/pauses", {"user": None, "lane": None}, 400)
        activity = {"platform": "apns", "tokenType": "start", "userId": "u", "token": tokens(2)[1], "topicId": None,
                    "activityId": None, "expiresAt": None, "environment": None}
        takes("/v1/live-activity/tokens", activity, 201)
        start = {"action": "start", "activityId": "a", "activityType": "type", "userId": "u", "topicId": None,
                 "payload": {"n": 1}, "expiresAt": None, "lane": None,
                 "options": {"alert": {"title": "t", "body": None, "sound": None}, "attributesType": "T",
                             "attributes": {}, **{name: None for name in options}}}
        takes("/v1/live-activity/jobs", start, 200, 202)
        takes("/v1/live-activity/jobs", {**start, "activityId": None}, 400)
        takes("/v1/users/u/subscriptions/t", None, 201)


def a_parameter_that_is_not_known_is_refused_and_nothing_happens():
    with stage() as (node, simulator):
        node.call("POST", "/v1/users/tokens", {"id": "u", "platform": "apns", "token": tokens(1)[0]})
        for method, path, body in (("POST", "/v1/users/u/send?dry_run=true", {"title": "t"}),
                                   ("DELETE", "/v1/users/u?dry_run=true", None),
                                   ("DELETE", "/v1/topics/t?force", None),
                                   ("GET", "/v1/users/u?fields=id", None),
                                   ("GET", "/v1/users?limit=1&limit=2", None),
                                   ("GET", "/v1/users?=1", None),
                                   ("GET", "/v1/users?limit=%zz", None),
                                   ("GET", "/metrics?name[]=x", None)):
            status, _, answer = node.call(method, path, body)
            check(status == 400 and answer["errors"], f"{method} {path}: {status} {answer}")
        for target in ("/v1/users#top", "/v1/users/\xfc", "/v1/users\x01", "/v1/us ers", "/v1\\users",
                       "/v1/users\x7f", "/v1/users?a=\xff"):
            status, _ = ask(node, f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check(status == 400, f"{target!r}: {status}")
        check(users(node) == ["u"], f"the user is gone: {users(node)}")
        check(simulator.stats()["apns"]["requests"] == 0, f"a push was sent: {simulator.stats()}")


def times_far_ahead_are_refused():
    with stage({"ingest": {"max-schedule": "48h"}}) as (node, _):
        node.call("POST", "/v1/users/tokens", {"id": "u", "platform": "apns", "token": tokens(1)[0]})

        def at(hours):
            return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + hours * 3600))

        for body, expected in (({"scheduled_at": at(47)}, 202), ({"scheduled_at": at(49)}, 400),
                               ({"scheduled_at": "9999-01-01T00:00:00Z"}, 400), ({"expires_at": at(47)}, 202),
                               ({"expires_at": at(49)}, 400), ({"scheduled_at": at(47), "expires_at": at(90)}, 202)):
            status, _, answer = node.call("POST", "/v1/users/u/send", {"title": "t", **body})
            check(status == expected, f"{body}: {status} {answer}")
            check(status == 202 or "ingest.max-schedule" in str(answer), f"the setting is not named: {answer}")


def an_import_of_long_keys_costs_little_memory():
    """400 lines whose one unknown key has 250 KB; and the same as one batch."""
    with stage() as (node, _):
        reset_peak(node)
        before = memory(node, "RssAnon")
        line = b'{"' + b"k" * (250 * 1000) + b'":1}\n'
        status, body = ask(node, post("/v1/tokens:batch", line * 400, "Content-Type: application/x-ndjson"))
        check(status == 200 and json.loads(body)["refused"] == 400, f"{status} {body[:300]}")
        check(len(body) < MIB, f"an answer of {len(body)} bytes")
        grown = memory(node, "VmHWM") - before
        check(grown < 64 * MIB, f"the peak grew by {grown / MIB:.0f} MiB")
        batch = b'{"tokens":[' + b",".join([line.strip()] * 30) + b"]}"
        status, body = ask(node, post("/v1/tokens:batch", batch, JSON_TYPE))
        check(status == 200 and len(body) < MIB, f"{status}, an answer of {len(body)} bytes")
        nested = b'{"title":"t","data":{"' + b"d" * 900_000 + b'":{}}, "' + b"e" * 100_000 + b'":1}'
        status, body = ask(node, post("/v1/users/u/send", nested, JSON_TYPE))
        check(status == 400 and len(body) < 8 * KIB, f"{status}, an answer of {len(body)} bytes")


def an_import_of_wide_lines_costs_little_memory():
    """Slices are bounded in bytes: each of 300 lines subscribes to 1,000 topics."""
    with stage() as (node, _):
        topics = [f"{'t' * 200}{i:04}" for i in range(1000)]
        reset_peak(node)
        before = memory(node, "RssAnon")
        lines = "".join(json.dumps({"platform": "apns", "token": name, "id": "u", "topics": topics}) + "\n"
                        for name in tokens(300)).encode()
        status, body = ask(node, post("/v1/tokens:batch", lines, "Content-Type: application/x-ndjson"))
        check(status == 200 and json.loads(body)["created"] == 300, f"{status} {body[:300]}")
        grown = memory(node, "VmHWM") - before
        check(grown < 64 * MIB, f"the peak grew by {grown / MIB:.0f} MiB")


def slow_uploads_leave_room_for_others():
    """Twelve uploads of nearly 8 MiB that stop before their end, and one client that does its work."""
    with stage() as (node, _), contextlib.ExitStack() as stack:
        size = 8 * MIB - 1000
        head = (f"POST /v1/tokens:batch HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON_TYPE}\r\n"
                f"Content-Length: {size}\r\n\r\n")
        slow = []
        for _ in range(12):
            slow.append(stack.enter_context(Client(node)))
            with contextlib.suppress(OSError):
                slow[-1].send(head.encode() + b" " * (size - 10))
        for i in range(20):
            status, _, body = node.call("POST", "/v1/users", {"id": f"u{i}"})
            check(status == 201, f"user {i}: {status} {body}")
        batch = [{"platform": "apns", "token": name, "id": "u"} for name in tokens(10_000)]
        status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch})
        check(status == 200, f"a batch of others: {status} {body}")
        ended = select.select([one.socket for one in slow], [], [], 0)[0]
        check(0 < len(ended) < 12, f"{len(ended)} of 12 slow uploads were ended")
        check(all(b" 503 " in one.recv(100) for one in ended), "an upload was ended without 503")


def a_body_that_trickles_is_ended():
    """It starts fast; then a byte comes now and then. And one that keeps the least rate for ever."""
    with stage({"http": {"body-timeout": "500ms"}}) as (node, _):
        for first, rate, pause in ((500_000, 1, 0.05), (10, 5_000, 0.1)):
            with Client(node) as client:
                client.send(f"POST /v1/users HTTP/1.1\r\nHost: 127.0.0.1\r\n{JSON_TYPE}\r\n"
                            f"Content-Length: 1048576\r\n\r\n".encode() + b" " * first)
                sent = first

                def refused():
                    nonlocal sent
                    if select.select([client.socket], [], [], 0)[0]:
                        return True
                    client.send(b" " * min(rate, 1_048_575 - sent))
                    sent += min(rate, 1_048_575 - sent)
                    return False

                wait_until(refused, "the body is ended", 60, pause)
                status, body = client.answer()
                check(status == 408 and sent < 1_048_575, f"{status} after {sent} bytes: {body}")


def answers_that_nobody_takes_are_bounded():
    """Clients that ask for the document, pipelined, and read nothing."""
    with stage() as (node, _), contextlib.ExitStack() as stack:
        reset_peak(node)
        before = memory(node, "RssAnon")
        wanted = b"GET /openapi.yaml HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 64
        for _ in range(200):
            stack.enter_context(Client(node, receive_buffer=4096)).send(wanted)
        for i in range(20):
            status, _, body = node.call("POST", "/v1/users", {"id": f"u{i}"})
            check(status == 201, f"user {i}: {status} {body}")
        grown = memory(node, "VmHWM") - before
        check(grown < 160 * MIB, f"the peak grew by {grown / MIB:.0f} MiB")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
