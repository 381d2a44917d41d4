"""What the crash tests share: a node and a simulator, device tokens, jobs, and the account."""

import argparse
import contextlib
import inspect
import pathlib
import random
import shutil
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "runtime" / "tools"))

from launcher import Node, Simulator, fresh_directory  # noqa: E402

OUTCOMES = ("accepted", "rejected", "unknown", "expired", "skipped")

# Fast where a test would otherwise only wait. A request's timeout is as long as by default: a machine
# that stands still for seconds must not make requests time out that a test wants answered.
QUICK = {
    "apns": {"reconnect-min": "20ms", "reconnect-max": "500ms"},
    "lane": {"push": {"backoff-min": "50ms", "backoff-max": "500ms", "due-interval": "100ms",
                      "max-attempts": 20}},
}


# For days in which that timeout has to pass.
HASTY = {provider: {"request-timeout": "2s"} for provider in ("apns", "fcm")}


class Failed(Exception):
    pass


def check(condition, message):
    if not condition:
        raise Failed(message)


def tokens(count, seed=1):
    numbers = random.Random(seed)
    return [f"{numbers.getrandbits(256):064x}" for _ in range(count)]


@contextlib.contextmanager
def stage(settings=None, bin_dir=None, seed=1, prefix=()):
    """A running simulator and node (its command behind `prefix`); the directory stays behind when the scenario fails. The seed is
    of the simulator's faults: its nth request meets the same ones each time."""
    directory = fresh_directory("crash")
    more = {"bin_dir": bin_dir} if bin_dir else {}
    simulator = Simulator(directory, ("--seed", str(seed)), **more)
    node = None
    try:
        node = Node(directory, simulator, settings, prefix=prefix, **more).start()
        yield node, simulator
    except BaseException:
        print(f"logs and data: {directory}", file=sys.stderr)
        raise
    else:
        status = node.stop()
        check(status == 0, f"the node ended with status {status}")
        shutil.rmtree(directory, ignore_errors=True)
    finally:
        if node and node.process.poll() is None:
            node.kill()
        simulator.stop()


@contextlib.contextmanager
def kept(port):
    """Keeps a port on which nobody listens now for who asks for its very number."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", port))
        yield


def register(node, values, topic=None, users=False):
    for start in range(0, len(values), 5_000):
        batch = []
        for number, value in enumerate(values[start:start + 5_000], start):
            entry = {"platform": "apns", "token": value}
            if topic:
                entry["topics"] = [topic]
            if users:
                entry["id"] = f"user-{number}"
            batch.append(entry)
        status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=120)
        check(status == 200, f"registration refused: {status} {body}")


def publish(node, topic, **more):
    status, _, job = node.call("POST", f"/v1/topics/{topic}/publish", {"title": "Test", "body": "x", **more})
    check(status == 202, f"publish refused: {status} {job}")
    return job["job_id"]


def view_of(node, job):
    status, _, view = node.call("GET", f"/v1/notifications/{job}")
    check(status == 200, f"job {job} cannot be read: {status} {view}")
    return view


def finished(view):
    return sum(view["counts"][name] for name in OUTCOMES)


def wait_until(condition, what, seconds=120, pause=0.05):
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < end, f"not within {seconds} s: {what}")
        time.sleep(pause)


def wait_for_job(node, job, seconds=120):
    def ended():
        view = view_of(node, job)
        return view if view["completed_at"] else None

    view = wait_until(ended, f"job {job} ends", seconds)
    counts = view["counts"]
    check(counts["total"] == finished(view) and counts["pending"] == 0,
          f"the account of job {job} does not close: {counts}")
    return view


def live_tokens(node, topic):
    status, _, body = node.call("GET", f"/v1/topics/{topic}/count")
    check(status == 200, f"count refused: {status} {body}")
    return body["count"]


def window_of(settings):
    """Requests that may be in flight or uncommitted: what a crash may send twice."""
    push = settings.get("lane", {}).get("push", {})
    return push.get("window", 4 * 100 + 1000) * push.get("senders", 1)


def scenarios_of(module):
    """The scenarios of a file: its functions without parameters."""
    return {name: value for name, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__
            and not inspect.signature(value).parameters}


def run_chosen(module):
    """Runs the scenario that the command line names."""
    scenarios = scenarios_of(module)
    parser = argparse.ArgumentParser(description=module.__doc__)
    parser.add_argument("scenario", choices=sorted(scenarios))
    options = parser.parse_args()
    start = time.monotonic()
    try:
        scenarios[options.scenario]()
    except Failed as error:
        print(f"{options.scenario} FAILED: {error}", file=sys.stderr)
        return 1
    print(f"{options.scenario}: passed in {time.monotonic() - start:.1f} s")
    return 0
