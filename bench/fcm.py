"""The same fan-out over APNs and over FCM, in turn: the same node, the same settings, the same number of
devices, one core for the simulator and the other one for the node."""

import random
import time

from measure import cpu_seconds, median, milliseconds, pin, wait_for_job

import fanout
from launcher import Node, Simulator, fresh_directory

NODE_CORE, SIMULATOR_CORE = 0, 1
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def registrations(count, seed):
    """As long as FCM makes them."""
    numbers = random.Random(seed)
    tail = "".join(numbers.choices(ALPHABET, k=110))
    return ["".join(numbers.choices(ALPHABET, k=22)) + ":APA91b" +
            "".join(numbers.choices(ALPHABET, k=24)) + tail for _ in range(count)]


def import_topic(node, platform, values):
    for start in range(0, len(values), 10_000):
        batch = [{"platform": platform, "token": value, "topics": [platform]}
                 for value in values[start:start + 10_000]]
        status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=300)
        if status != 200:
            raise SystemExit(f"import refused: {status} {body}")


def one_run(node, simulator, platform, count):
    """(pushes a second from acceptance to completion, CPU us a push, the simulator's CPU us a push)"""
    simulator.reset()
    pids = node.process.pid, simulator.process.pid
    before = [cpu_seconds(pid) for pid in pids]
    view = wait_for_job(node, fanout.publish(node, platform), pause=0.25)
    spent = [cpu_seconds(pid) - start for pid, start in zip(pids, before)]
    seconds = (milliseconds(view["completed_at"]) - milliseconds(view["created_at"])) / 1000
    stats = simulator.stats()[platform]
    if not view["counts"]["accepted"] == count == stats["unique_targets"] or stats["duplicates"]:
        raise SystemExit(f"the account does not close: {view['counts']} {stats}")
    return count / seconds, *(cost / count * 1e6 for cost in spent)


def run(quick):
    count = 50_000 if quick else 1_000_000
    pairs = 2 if quick else 5
    directory = fresh_directory("bench")
    simulator = Simulator(directory, prefix=pin(SIMULATOR_CORE))
    node = None
    try:
        node = Node(directory, simulator, prefix=pin(NODE_CORE)).start()
        start = time.monotonic()
        import_topic(node, "apns", fanout.tokens(count, 1))
        import_topic(node, "fcm", registrations(count, 1))
        print(f"imported {2 * count:,} tokens at {2 * count / (time.monotonic() - start):,.0f}/s")
        print(f"{'pair':>4} {'APNs push/s':>12} {'FCM push/s':>12} {'ratio':>6} "
              f"{'node CPU us/push':>18} {'simulator CPU':>15}")
        ratios = []
        for pair in range(1, pairs + 1):
            apns = one_run(node, simulator, "apns", count)
            fcm = one_run(node, simulator, "fcm", count)
            ratios.append(fcm[0] / apns[0])
            print(f"{pair:>4} {apns[0]:>12,.0f} {fcm[0]:>12,.0f} {ratios[-1]:>6.3f} "
                  f"{apns[1]:>8.2f} and {fcm[1]:>5.2f} {apns[2]:>5.2f} and {fcm[2]:>5.2f}", flush=True)
        print(f"median ratio {median(ratios):.3f} (lowest {min(ratios):.3f}, highest {max(ratios):.3f})")
    finally:
        if node:
            node.stop()
        simulator.stop()
