"""This build beside another one, as of the commit before: the same scenario on both in turn, against the same
simulator, five pairs. `./dev bench beside --other=BIN_DIR [--what=fanout,ingest,retry,isolation]`."""

import os
import pathlib
import time

from measure import cpu_seconds, median, pin

import fanout
import ingest
import isolation
import retry
from launcher import BIN, Node, Simulator, fresh_directory
from load import Steady, in_parallel

SIDES = ("other", "this")


def nodes(simulator, other, settings=None, prefix=()):
    """A running node of each build, each with a store of its own."""
    bins = {"other": pathlib.Path(other), "this": BIN}
    return {side: Node(fresh_directory("bench"), simulator, settings, bin_dir=bins[side], prefix=prefix).start()
            for side in SIDES}


def mean(values):
    return sum(values) / len(values)


def in_turn(pairs, measure, slices=1, join=mean):
    """Values by side, each joined of so many slices. The sides change with each slice, and so does who comes first:
    a machine that is shared drifts by a tenth within seconds, which must favour nobody."""
    found = {side: [] for side in SIDES}
    for pair in range(pairs):
        parts = {side: [] for side in SIDES}
        for turn in range(slices):
            for side in SIDES if (pair + turn) % 2 == 0 else reversed(SIDES):
                parts[side].append(measure(side))
        for side in SIDES:
            found[side].append(join(parts[side]))
        print(f"{pair + 1:>4} other {found['other'][-1]:>12,.1f} this {found['this'][-1]:>12,.1f} "
              f"ratio {found['this'][-1] / found['other'][-1]:.3f}", flush=True)
    return found


def report(name, found, better_is_less=False):
    ratios = [b / a for a, b in zip(found["other"], found["this"])]
    text = "other over this" if better_is_less else "this over other"
    if better_is_less:
        ratios = [1 / ratio for ratio in ratios]
    print(f"{name}: median {median(found['this']):,.1f} against {median(found['other']):,.1f}; {text}: median of the "
          f"pairs {median(ratios):.3f} (lowest {min(ratios):.3f}, highest {max(ratios):.3f})", flush=True)


def beside_fanout(simulator, other, quick, pairs):
    count, slices = (50_000, 1) if quick else (1_000_000, 3)
    both = nodes(simulator, other, prefix=pin(fanout.CLIENT_CORE))
    try:
        values = fanout.tokens(count, 1)
        for node in both.values():
            fanout.import_topic(node, "all", values)
        costs = {side: [] for side in SIDES}

        def measure(side):
            rate, cost = fanout.node_run(both[side], simulator, "all", count)
            costs[side].append(cost)
            return rate

        report("fanout, pushes a second", in_turn(pairs, measure, slices))
        report("fanout, CPU us a push", costs, better_is_less=True)
    finally:
        stop(both)


def beside_ingest(simulator, other, quick, pairs):
    seconds, slices = (2, 1) if quick else (3, 6)
    both = nodes(simulator, other)
    try:
        script = both["this"].directory / "send.lua"
        script.write_text(ingest.SCRIPT.replace("USERS", str(ingest.USERS)))
        for node in both.values():
            for start in range(0, ingest.USERS, 5_000):
                batch = [{"id": f"user-{i}", "platform": "apns", "token": f"{i:064x}"}
                         for i in range(start, start + 5_000)]
                status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=300)
                if status != 200:
                    raise SystemExit(f"import refused: {status} {body}")
            ingest.wrk(node.url, script, 2)
        costs = {side: [] for side in SIDES}

        def measure(side):
            node = both[side]
            cpu = cpu_seconds(node.process.pid)
            rate, _, _, errors = ingest.wrk(node.url, script, seconds)
            costs[side].append((cpu_seconds(node.process.pid) - cpu) / (rate * seconds) * 1e6)
            if errors:
                raise SystemExit(f"{errors} requests were not answered 202")
            settle(node)
            return rate

        report("ingest, 202s a second", in_turn(pairs, measure, slices))
        report("ingest, CPU us a 202", costs, better_is_less=True)
    finally:
        stop(both)


def settle(node):
    """Until nothing is left to send."""
    end = time.monotonic() + 60
    while 'signalbox_backlog{lane="push",kind="ready_chunks"} 0' not in node.call("GET", "/metrics")[2]:
        if time.monotonic() > end:
            raise SystemExit("the backlog did not go within 60 s")
        time.sleep(0.2)
    time.sleep(1)


def beside_retry(simulator, other, quick, pairs):
    devices, seconds = (100_000, 5) if quick else (1_000_000, 20)
    both = nodes(simulator, other, retry.SETTINGS, prefix=pin(retry.CLIENT_CORE))
    try:
        values = fanout.tokens(devices, 1)
        for node in both.values():
            fanout.import_topic(node, "all", values)
        costs = {side: [] for side in SIDES}

        def measure(side):
            rate, cost, _ = retry.phase(both[side], simulator, devices,
                                        {"apns": {"mix": retry.MIX, "retry_after_s": 1}}, seconds)
            costs[side].append(cost)
            return rate

        report("retry, final outcomes a second", in_turn(pairs, measure))
        report("retry, CPU us each", costs, better_is_less=True)
    finally:
        stop(both)


def beside_isolation(simulator, other, quick, pairs):
    """Latencies of single pushes beside a flood of updates, and beside a stalled FCM. The slices of a pair share their
    percentiles: of one slice's thousand pushes, one pause of the machine would decide the 99th."""
    count, devices, seconds, slices = (8, 50, 2, 1) if quick else (40, 250, 5, 4)
    cores = os.sched_getaffinity(0)
    both = nodes(simulator, other, {"fcm": {"request-timeout": f"{isolation.FCM_TIMEOUT_S}s"}},
                 prefix=pin(isolation.NODE_CORE))
    try:
        os.sched_setaffinity(0, {isolation.SIMULATOR_CORE})
        activities = {}
        for side, node in both.items():
            simulator.reset()
            activities[side] = isolation.Activities(node, count, devices)
            in_parallel(node, lambda link, n: link.post("/v1/users/tokens", {
                "id": f"user-{n}", "platform": "apns", "token": f"{n:064x}"}, 200, 201), list(range(isolation.USERS)))
        pace = activities["other"].solo(seconds) / 2 / devices
        print(f"the flood: {pace:.1f} updates/s of {devices} devices")

        def push(link, number):
            return link.post(f"/v1/users/user-{number % isolation.USERS}/send", isolation.PUSH, 202)["job_id"]

        for name in ("flooded", "stalled"):
            middle = {side: [] for side in SIDES}

            def measure(side):
                node = both[side]
                activities[side].settle()
                simulator.faults({"fcm": {"stall": name == "stalled"}})
                with Steady(node, pace, activities[side].update):
                    time.sleep(0.5)
                    phase = isolation.Phase(node, simulator, isolation.RATE, push, seconds, "live-activity")
                simulator.faults({"fcm": {"stall": False}})
                return side, phase.finish(node).times

            def percentile_of(parts):
                times = [each for _, part in parts for each in part]
                middle[parts[0][0]].append(around(times, 0.5))
                return around(times, 0.99)

            report(f"isolation, p99 ms, {name}", in_turn(pairs, measure, slices, percentile_of), better_is_less=True)
            report(f"isolation, p50 ms, {name}", middle, better_is_less=True)
    finally:
        os.sched_setaffinity(0, cores)
        stop(both)


def around(times, share):
    """A percentile of whole milliseconds, finer: the mean of the hundredth of the values that lies around it."""
    ranked = sorted(times)
    first, last = (int(len(ranked) * min(max(share + edge, 0), 1)) for edge in (-0.005, 0.005))
    return sum(ranked[first:last + 1]) / len(ranked[first:last + 1])


def stop(both):
    for node in both.values():
        node.stop()


ALL = {"fanout": beside_fanout, "ingest": beside_ingest, "retry": beside_retry, "isolation": beside_isolation}


def run(quick, other, what):
    if not other:
        raise SystemExit("bench beside: --other=BIN_DIR names the programs of the other build")
    for name in what.split(",") if what else ALL:
        simulator = Simulator(fresh_directory("bench"), prefix=pin(fanout.SIMULATOR_CORE) if name != "ingest" else ())
        try:
            print(f"-- {name}", flush=True)
            ALL[name](simulator, other, quick, 2 if quick else 5)
        finally:
            simulator.stop()
