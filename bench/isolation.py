"""What one lane's flood or stalled provider does to the latency of the other, from acceptance to outcome.

Pushes go to APNs, one device each, at a steady rate; the Live Activity lane has FCM devices. In turn, in the
same run: the Live Activity lane idle, flooded at half the rate it reaches alone, idle, and with FCM stalled.
Then the other way round: updates of activities beside fan-outs of the push lane."""

import itertools
import os
import re
import time

from measure import cpu_seconds, median, milliseconds, percentile, pin

import fanout
from fcm import registrations
from launcher import Node, Simulator, fresh_directory
from load import Link, Steady, in_parallel

NODE_CORE, SIMULATOR_CORE = 0, 1
RATE = 200  # pushes a second
USERS = 2_000
UPDATE_RATE = 50  # updates a second, in the other direction
FCM_TIMEOUT_S = 2  # so that timeouts, the breaker and probes all fall into a stalled phase
PUSH = {"title": "Your code", "body": "1234 is your login code."}


class Activities:
    """Activities of their own topics, each with the same number of FCM devices."""

    def __init__(self, node, count, devices):
        self.node, self.count, self.devices = node, count, devices
        self.seq = itertools.count(1)
        tokens = registrations(count * devices, 3)
        in_parallel(node, self.register, list(enumerate(tokens)))
        in_parallel(node, self.start, list(range(count)))

    def register(self, link, item):
        number, token = item
        link.post("/v1/live-activity/tokens", {
            "userId": f"fan-{number}", "platform": "fcm", "tokenType": "update", "token": token,
            "topicId": f"match-{number % self.count}"}, 200, 201)

    def start(self, link, number):
        job = link.post("/v1/live-activity/jobs", {
            "action": "start", "activityId": f"match-{number}", "activityType": "match", "topicId": f"match-{number}",
            "payload": {"seq": 0, "home": 0, "away": 0},
            "options": {"alert": {"title": "Kick-off"}, "attributesType": "MatchAttributes",
                        "attributes": {"home": "Lions"}}}, 202)["dispatchId"]
        counts = finished(link, job)["counts"]
        if counts["accepted"] != self.devices:
            raise SystemExit(f"a start did not reach all devices: {counts}")

    def update(self, link, number):
        return link.post("/v1/live-activity/jobs", {
            "action": "update", "activityId": f"match-{number % self.count}",
            "payload": {"seq": next(self.seq), "home": 1, "away": 2, "minute": 71}}, 202)["dispatchId"]

    def solo(self, seconds):
        """Device requests a second when each activity's next update is posted as the one before ends."""
        end = time.monotonic() + seconds

        def back_to_back(link, number):
            while time.monotonic() < end:
                finished(link, self.update(link, number), 0.005)

        before, begun = outcomes(self.node, "live-activity"), time.monotonic()
        in_parallel(self.node, back_to_back, list(range(self.count)), self.count)
        return (outcomes(self.node, "live-activity") - before) / (time.monotonic() - begun)

    def settle(self):
        """Until an update has reached every device, in the first try."""
        link, end = Link(self.node), time.monotonic() + 120
        left = range(self.count)
        while left:
            if time.monotonic() > end:
                raise SystemExit("the Live Activity lane did not recover within 120 s")
            views = [(number, finished(link, self.update(link, number))) for number in left]
            left = [number for number, view in views if view["counts"]["accepted"] != self.devices]


def finished(link, job, pause=0.02, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status, view = link.call("GET", f"/v1/notifications/{job}")
        if status != 200:
            raise SystemExit(f"the job {job} cannot be read: {status} {view}")
        if view["completed_at"]:
            return view
        time.sleep(pause)
    raise SystemExit(f"the job {job} did not end within {seconds} s: {view}")


def outcomes(node, lane):
    """Final outcomes of a lane so far."""
    found = re.findall(rf'signalbox_outcomes_total\{{lane="{lane}",status="(\w+)"\}} ([\d.e+]+)',
                       node.call("GET", "/metrics")[2])
    return sum(float(value) for status, value in found if status not in ("retry", "skipped"))


def latencies(node, jobs):
    link = Link(node)
    views = [finished(link, job) for job in jobs]
    for view in views:
        if view["status"] == "COMPLETED" and view["counts"]["accepted"] != view["counts"]["total"]:
            raise SystemExit(f"not accepted: {view['counts']}")
    return [milliseconds(view["completed_at"]) - milliseconds(view["created_at"]) for view in views
            if view["status"] == "COMPLETED"]


class Phase:
    """A steady load of one lane for some seconds: its latencies, and what the other lane and the CPUs did."""

    def __init__(self, node, simulator, rate, send, seconds, other):
        begun, before = time.monotonic(), outcomes(node, other)
        pids = node.process.pid, simulator.process.pid, os.getpid()
        cpu = [cpu_seconds(pid) for pid in pids]
        with Steady(node, rate, send) as load:
            time.sleep(seconds)
        took = time.monotonic() - begun
        self.other = (outcomes(node, other) - before) / took
        self.cpu = [(cpu_seconds(pid) - start) / took for pid, start in zip(pids, cpu)]
        self.jobs = load.results

    def finish(self, node):
        times = self.times = latencies(node, self.jobs)
        self.count, self.p50, self.p99 = len(times), percentile(times, 0.5), percentile(times, 0.99)
        self.highest = max(times)
        return self

    def row(self, pair, name):
        node, simulator, load = (f"{share:.0%}" for share in self.cpu)
        return (f"{pair:>4} {name:<8} {self.count:>6,} {self.p50:>5.0f} {self.p99:>5.0f} {self.highest:>5.0f} "
                f"{self.other:>11,.0f} {node:>6} {simulator:>6} {load:>6}")


HEAD = (f"{'pair':>4} {'other':<8} {'jobs':>6} {'p50':>5} {'p99':>5} {'max':>5} {'other lane/s':>12} "
        f"{'node':>5} {'sim.':>6} {'load':>6}")


def report(name, pairs, factor=None, more=None):
    """Medians of the pairs, and whether the bound max(factor * idle, idle + more) holds."""
    idle, loaded = [a.p99 for a, _ in pairs], [b.p99 for _, b in pairs]
    text = (f"{name}: p99 {median(loaded):.0f} ms against {median(idle):.0f} ms idle, medians; ratio "
            f"{median(b / max(a, 1) for a, b in zip(idle, loaded)):.2f}, "
            f"{median(b - a for a, b in zip(idle, loaded)):+.0f} ms; p50 {median(b.p50 for _, b in pairs):.0f} "
            f"against {median(a.p50 for a, _ in pairs):.0f} ms")
    if factor:
        over = median(b - max(factor * a, a + more) for a, b in zip(idle, loaded))
        text += f"; bound: the larger of {factor} times and {more} ms more: {'held' if over <= 0 else 'MISSED'}"
    print(text, flush=True)


def pushes_beside_activities(node, simulator, activities, seconds, pairs):
    in_parallel(node, lambda link, n: link.post("/v1/users/tokens", {
        "id": f"user-{n}", "platform": "apns", "token": f"{n:064x}"}, 200, 201), list(range(USERS)))
    numbers = itertools.count()

    def push(link, _):
        user = next(numbers) % USERS
        return link.post(f"/v1/users/user-{user}/send", PUSH, 202)["job_id"]

    activities.settle()
    solo = activities.solo(seconds)
    updates = solo / 2 / activities.devices
    print(f"Live Activity lane: {activities.count} activities of {activities.devices} FCM devices; alone, updates "
          f"back to back: {solo:,.0f} requests/s; the flood: {updates:.1f} updates/s, {solo / 2:,.0f} requests/s")
    print(f"pushes of one APNs device each at {RATE}/s; latencies in ms, CPU in shares of a core\n{HEAD}")

    def phase(pair, name):
        activities.settle()
        measured = lambda: Phase(node, simulator, RATE, push, seconds, "live-activity")
        if name == "idle":
            result = measured()
        else:
            simulator.faults({"fcm": {"stall": name == "stalled"}})
            with Steady(node, updates, activities.update):
                time.sleep(0.5)
                result = measured()
            simulator.faults({"fcm": {"stall": False}})
        print(result.finish(node).row(pair, name), flush=True)
        return result

    found = {"flooded": [], "stalled": []}
    for pair in range(1, pairs + 1):
        for name, results in found.items():
            results.append((phase(pair, "idle"), phase(pair, name)))
    report("pushes beside a flood of updates", found["flooded"], 1.5, 5)
    report("pushes beside a stalled FCM", found["stalled"], 1.2, 2)


def activities_beside_a_fan_out(node, simulator, activities, seconds, pairs, devices):
    fanout.import_topic(node, "all", fanout.tokens(devices, 1))
    print(f"\nthe other way round: {UPDATE_RATE} updates/s of {activities.devices} devices each, beside fan-outs to "
          f"{devices:,}\n{HEAD}")

    def phase(pair, flooded):
        activities.settle()
        jobs, pending = [], 0
        if flooded:
            # Enough for the phase; what is left over is cancelled.
            jobs = [fanout.publish(node, "all") for _ in range(max(2, int(seconds * 300_000 / devices)))]
            time.sleep(0.5)
        result = Phase(node, simulator, UPDATE_RATE, activities.update, seconds, "push")
        link = Link(node)
        for job in jobs:
            link.call("DELETE", f"/v1/notifications/{job}")
        for job in jobs:
            finished(link, job)
        print(result.finish(node).row(pair, "flooded" if flooded else "idle"), flush=True)
        return result

    report("updates beside a fan-out",
           [(phase(pair, False), phase(pair, True)) for pair in range(1, pairs + 1)])


def run(quick):
    count, devices, seconds, pairs = (8, 50, 2, 1) if quick else (40, 250, 5, 5)
    directory = fresh_directory("bench")
    simulator = Simulator(directory, prefix=pin(SIMULATOR_CORE))
    node = None
    cores = os.sched_getaffinity(0)
    try:
        node = Node(directory, simulator, {"fcm": {"request-timeout": f"{FCM_TIMEOUT_S}s"}},
                    prefix=pin(NODE_CORE)).start()
        os.sched_setaffinity(0, {SIMULATOR_CORE})
        activities = Activities(node, count, devices)
        pushes_beside_activities(node, simulator, activities, seconds, pairs)
        activities_beside_a_fan_out(node, simulator, activities, seconds, pairs, 20_000 if quick else 200_000)
        if simulator.stats()["out_of_order"]:
            raise SystemExit(f"{simulator.stats()['out_of_order']} requests came after a newer one")
        print(f"Shared by the lanes: SQLite's writer and its disk, core {NODE_CORE} (all the node's threads), the "
              f"HTTP server, and the simulator process, which has core {SIMULATOR_CORE} together with this load.")
    finally:
        os.sched_setaffinity(0, cores)
        if node:
            node.stop()
        simulator.stop()
