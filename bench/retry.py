"""Final outcomes a second under a mix of faults, beside the clean rate of the same node in the same run.

The load is continuous: jobs to a topic of a million devices, so many that there is always fresh work. A
target that is to be tried again counts when its last try has ended. One core for the simulator, the other
one for the node. Invalidated devices drop out of the topic, as they do in life."""

import re
import time

from measure import cpu_seconds, median, pin

from fanout import CLIENT_CORE, SIMULATOR_CORE, import_topic, publish, tokens
from launcher import Node, Simulator, fresh_directory

MIX = {"500 InternalServerError": 0.05, "429 TooManyRequests": 0.05, "no-answer": 0.01,
       "410 Unregistered": 0.02}
TIMEOUT_S = 1
CONNECTIONS, STREAMS = 4, 1_000
# One in a hundred requests keeps its stream for a second: at 100,000 a second that is 1,000 streams.
FLUSH = 5_000
WINDOW = CONNECTIONS * STREAMS + FLUSH
SETTINGS = {
    "apns": {"request-timeout": f"{TIMEOUT_S}s", "connections": CONNECTIONS, "max-streams": STREAMS},
    "lane": {"push": {"window": WINDOW, "flush-size": FLUSH}},
}


def finals(node):
    """Final outcomes so far, by status."""
    text = node.call("GET", "/metrics")[2]
    found = re.findall(r'signalbox_outcomes_total\{lane="push",status="(\w+)"\} ([\d.e+]+)', text)
    return {status: float(value) for status, value in found if status != "retry"}


class Load:
    """Publishes whenever less than half a topic is left to be sent for the first time."""

    def __init__(self, node, devices):
        self.node, self.devices, self.jobs = node, devices, []

    def keep_up(self):
        views = [self.node.call("GET", f"/v1/notifications/{job}")[2] for job in self.jobs]
        self.jobs = [view["job_id"] for view in views if view["status"] != "COMPLETED"]
        left = sum(view["counts"]["pending"] if view["counts"]["total"] is not None else self.devices
                   for view in views if view["status"] != "COMPLETED")
        if left < self.devices * 0.6:
            self.jobs.append(publish(self.node, "all"))

    def drain(self, seconds=120):
        end = time.monotonic() + seconds
        while self.jobs:
            view = self.node.call("GET", f"/v1/notifications/{self.jobs[0]}")[2]
            if view["status"] == "COMPLETED":
                counts = view["counts"]
                done = sum(counts[key] for key in ("accepted", "rejected", "unknown", "expired", "skipped"))
                if done != counts["total"]:
                    raise SystemExit(f"the account does not close: {counts}")
                self.jobs.pop(0)
            elif time.monotonic() > end:
                raise SystemExit(f"not finished within {seconds} s: {view}")
            else:
                time.sleep(0.1)


def phase(node, simulator, devices, faults, seconds):
    """(final outcomes a second, CPU us each, share of each status)"""
    simulator.reset()
    simulator.faults(faults)
    load = Load(node, devices)
    warm_up = time.monotonic() + min(5, seconds / 2)
    while time.monotonic() < warm_up:
        load.keep_up()
        time.sleep(0.25)
    before, cpu, start = finals(node), cpu_seconds(node.process.pid), time.monotonic()
    while time.monotonic() < start + seconds:
        load.keep_up()
        time.sleep(0.25)
    after, took = finals(node), time.monotonic() - start
    cpu = cpu_seconds(node.process.pid) - cpu
    simulator.faults({"apns": {"mix": {}}})
    load.drain()
    counts = {status: after[status] - before.get(status, 0) for status in after}
    total = sum(counts.values())
    return total / took, cpu / total * 1e6, {status: count / total for status, count in counts.items() if count}


def run(quick):
    devices = 100_000 if quick else 1_000_000
    seconds = 5 if quick else 60
    pairs = 1 if quick else 2
    directory = fresh_directory("bench")
    simulator = Simulator(directory, prefix=pin(SIMULATOR_CORE))
    node = Node(directory, simulator, SETTINGS, prefix=pin(CLIENT_CORE)).start()
    try:
        import_topic(node, "all", tokens(devices, 1))
        print(f"request timeout {TIMEOUT_S} s, {CONNECTIONS} connections of {STREAMS} streams, window {WINDOW}, "
              f"flushes of {FLUSH}, "
              f"in both; the mix: {MIX}, Retry-After 1 s with 429")
        print(f"{'pair':>4} {'clean/s':>9} {'mix/s':>9} {'ratio':>6} {'CPU us clean':>12} {'mix':>6}  outcomes of the mix")
        ratios = []
        for pair in range(1, pairs + 1):
            clean, clean_cpu, _ = phase(node, simulator, devices, {"apns": {"mix": {}}}, seconds)
            mixed, mixed_cpu, shares = phase(node, simulator, devices,
                                             {"apns": {"mix": MIX, "retry_after_s": 1}}, seconds)
            ratios.append(mixed / clean)
            text = " ".join(f"{status} {share:.4f}" for status, share in sorted(shares.items()))
            print(f"{pair:>4} {clean:>9,.0f} {mixed:>9,.0f} {mixed / clean:>6.3f} {clean_cpu:>12.2f} {mixed_cpu:>6.2f}  {text}",
                  flush=True)
        print(f"median ratio {median(ratios):.3f} over {seconds} s each")
        print(f"The limit is the node's one core (core {CLIENT_CORE}, all its threads); the simulator has core {SIMULATOR_CORE}.")
    finally:
        node.stop()
        simulator.stop()
