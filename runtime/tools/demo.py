"""./dev demo: push to devices of both providers and show the account; then the same beside a Live Activity.

Exit status: 0 all accounts closed, the simulator saw the same, and every phone got the activity's end
last; 1 not so; 130 stopped by Ctrl-C.
"""

import argparse
import collections
import http.client
import json
import random
import sys
import time
import urllib.parse

import demo_activity
from launcher import LaunchError, Node, Simulator, fresh_directory, port_of, stop_on_signals

TOPIC = "demo"
TERMINAL = ("COMPLETED", "FAILED", "CANCELLED", "EXPIRED")
OUTCOMES = ("accepted", "rejected", "unknown", "expired", "skipped")


def registrations(count, seed):
    """Four devices of APNs to each one of FCM."""
    numbers = random.Random(seed)
    for number in range(count):
        platform = "fcm" if number % 5 == 4 else "apns"
        make_token = demo_activity.fcm_token if platform == "fcm" else demo_activity.apns_token
        yield json.dumps({"id": f"user-{number}", "platform": platform, "token": make_token(numbers),
                          "topics": [TOPIC]}) + "\n"


def import_tokens(node, count, seed, progress):
    """Streams NDJSON to the node, as a backend with millions of rows would."""
    address = urllib.parse.urlsplit(node.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
    connection.putrequest("POST", "/v1/tokens:batch")
    connection.putheader("Content-Type", "application/x-ndjson")
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    piece, sent = [], 0
    for line in registrations(count, seed):
        piece.append(line)
        if len(piece) == 500:
            sent += send_chunk(connection, piece)
            progress(sent)
    sent += send_chunk(connection, piece)
    connection.send(b"0\r\n\r\n")
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        raise LaunchError(f"the import was refused: {answer.status} {body}")
    return body


def send_chunk(connection, piece):
    data = "".join(piece).encode()
    count = len(piece)
    piece.clear()
    if data:
        connection.send(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    return count


class Bar:
    """One line, drawn again and again on a terminal, or a line every two seconds without one."""

    def __init__(self, label, total, start=None):
        self.label, self.total = label, total
        self.start = start or time.monotonic()
        self.last = 0.0
        self.terminal = sys.stdout.isatty()

    def draw(self, done, text="", final=False):
        now = time.monotonic()
        if not final and now - self.last < (0.1 if self.terminal else 2.0):
            return
        self.last = now
        elapsed = max(now - self.start, 1e-6)
        rate = done / elapsed
        share = done / self.total if self.total else 1.0
        left = (self.total - done) / rate if rate > 0 else 0.0
        filled = int(30 * share)
        line = (f"{self.label:<9} [{'#' * filled}{'.' * (30 - filled)}] {share:4.0%} "
                f"{done:>9,} {rate:>9,.0f}/s {text} {left:4.0f} s left")
        print(f"\r{line}\033[K" if self.terminal else line, end="\n" if final or not self.terminal else "",
              flush=True)


def publish(node, text):
    status, _, job = node.call("POST", f"/v1/topics/{TOPIC}/publish",
                               {"title": "Signalbox", "body": text, "data": {"source": "demo"}})
    if status != 202:
        raise LaunchError(f"the publish was refused: {status} {job}")
    return job["job_id"]


def watch(node, job, total, start=None):
    bar = Bar("publish", total, start)
    while True:
        status, _, view = node.call("GET", f"/v1/notifications/{job}")
        if status != 200:
            raise LaunchError(f"the job cannot be read: {status} {view}")
        counts = view["counts"]
        done = sum(counts[name] for name in OUTCOMES)
        ended = view["status"] in TERMINAL and counts.get("pending") == 0
        bar.draw(done, f"accepted {counts['accepted']:,} rejected {counts['rejected']:,}", ended)
        if ended:
            return view
        time.sleep(0.1)


def reasons_of(node, job):
    reasons = collections.Counter()
    cursor = ""
    while True:
        query = "?limit=200" + (f"&cursor={urllib.parse.quote(cursor)}" if cursor else "")
        status, _, page = node.call("GET", f"/v1/notifications/{job}/receipts{query}")
        if status != 200:
            raise LaunchError(f"the receipts cannot be read: {status} {page}")
        reasons.update((item["status"], item["reason"]) for item in page["items"])
        if not page["has_more"]:
            return reasons
        cursor = page["next_cursor"]


def print_account(view, reasons, stats):
    counts = view["counts"]
    print("\nThe account")
    for name in OUTCOMES:
        print(f"  {name:<10} {counts[name]:>9,}")
        for (status, reason), count in sorted(reasons.items()):
            if status == name:
                print(f"    {reason:<20} {count:>9,}")
    total = sum(counts[name] for name in OUTCOMES)
    print(f"  {'sum':<10} {total:>9,}\n  {'total':<10} {counts['total']:>9,}")
    print(f"{'The simulator saw':<26} {'APNs':>9} {'FCM':>9}")
    for name in ("unique_targets", "requests", "accepted", "rejected", "duplicates"):
        print(f"  {name:<14} {stats[name]:>9,} {stats['apns'][name]:>9,} {stats['fcm'][name]:>9,}")
    closed = total == counts["total"] == stats["unique_targets"] and stats["duplicates"] == 0
    print("The account closes." if closed else "THE ACCOUNT DOES NOT CLOSE.")
    return closed


def push_alone(node, simulator, options):
    simulator.faults({
        "apns": {"mix": {"410 Unregistered": 0.01, "503 ServiceUnavailable": 0.005}},
        "fcm": {"mix": {"404 UNREGISTERED": 0.01}}})
    print("\n1. A push to everyone. 1 % of the devices are gone, and APNs is busy at 0.5 % of the requests.")
    job = publish(node, "Hello, everyone")
    view = watch(node, job, options.tokens)
    print(f"job {job} is {view['status']}")
    return print_account(view, reasons_of(node, job), simulator.stats())


def push_beside_activity(node, simulator, options):
    simulator.reset()
    simulator.faults({name: {"latency_ms": [30, 60]} for name in ("apns", "fcm")})
    print("\n2. Another push to everyone, in the lane push, and meanwhile a Live Activity in its own lane. "
          "The providers take 30 to 60 ms now.")
    start = time.monotonic()
    job = publish(node, "Kick-off is near")
    phones = demo_activity.phones_of(options.phones, options.seed + 1)
    views = demo_activity.play(node, phones, options.updates)
    pushed = node.call("GET", f"/v1/notifications/{job}")[2]["counts"]
    print(f"by then, the push had reached {sum(pushed[name] for name in OUTCOMES):,} devices.")
    view = watch(node, job, pushed["total"] or options.tokens, start)
    stats = simulator.stats()
    demo_activity.print_dispatches(views, phones)
    is_well = demo_activity.check(views, phones, simulator)
    print("The Live Activity ended as it should." if is_well else "THE LIVE ACTIVITY WENT WRONG.")
    tokens = sum(2 if phone.start_token else 1 for phone in phones)
    counts = view["counts"]
    total = sum(counts[name] for name in OUTCOMES)
    closed = total == counts["total"] == stats["unique_targets"] - tokens and stats["duplicates"] == 0
    print(f"The push: {counts['accepted']:,} accepted of {counts['total']:,}. " +
          ("Its account closes." if closed else "ITS ACCOUNT DOES NOT CLOSE."))
    return is_well and closed


def how_to_go_on(node, simulator):
    print(f"""
Node and simulator go on running. Try:
  curl -s -X POST {node.url}/v1/users/user-1/send -H 'Content-Type: application/json' \\
       -d '{{"title":"Hello","body":"from curl"}}'
  curl -s {node.url}/v1/topics/{TOPIC}/count
  curl -s {node.url}/v1/live-activity/jobs/{demo_activity.ACTIVITY}/dispatches
  curl -s {simulator.info['admin']}/stats
Ctrl-C stops them.""", flush=True)


def main():
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__.splitlines()[0])
    parser.add_argument("--once", action="store_true", help="stop after the accounts")
    parser.add_argument("--tokens", type=int, default=100_000, help="how many devices (default: %(default)s)")
    parser.add_argument("--phones", type=int, default=50,
                        help="how many follow the Live Activity (default: %(default)s)")
    parser.add_argument("--updates", type=int, default=20, help="of the activity (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the device tokens (default: %(default)s)")
    options = parser.parse_args()
    once = options.once or not sys.stdout.isatty()

    stop_on_signals()
    directory = fresh_directory("demo")
    simulator = node = None
    status = 1
    try:
        simulator = Simulator(directory)
        node = Node(directory, simulator).start()
        print(f"node {node.url}, simulator on ports {port_of(simulator.info['apns'])} (APNs) and "
              f"{port_of(simulator.info['fcm'])} (FCM), data in {directory}")
        bar = Bar("import", options.tokens)
        answer = import_tokens(node, options.tokens, options.seed, bar.draw)
        bar.draw(options.tokens, f"created {answer['created']:,} refused {answer['refused']:,}", True)
        is_well = push_alone(node, simulator, options)
        is_well = push_beside_activity(node, simulator, options) and is_well
        status = 0 if is_well else 1
        if not once:
            how_to_go_on(node, simulator)
            while node.process.poll() is None:
                time.sleep(0.2)
    except KeyboardInterrupt:
        status = 130 if status else status
    except (LaunchError, OSError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        status = 1
    finally:
        if node and node.process:
            print("\nstopping the node in order ...", flush=True)
            ended = node.stop()
            print("the node drained its lanes and stopped." if ended == 0 else f"the node ended with status {ended}")
            status = status if ended == 0 else 1
        if simulator:
            simulator.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
