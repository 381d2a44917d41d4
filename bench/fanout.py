"""h2load and the node against the same simulator, in turn: one core for the simulator, the other one for
the client, whichever it is."""

import pathlib
import random
import re
import subprocess
import time

from measure import (PeakMemory, cpu_seconds, median, milliseconds, pin, provider_token, wait_for_job)

import demo
from launcher import Node, Simulator, fresh_directory

CLIENT_CORE, SIMULATOR_CORE = 0, 1
BODY = {"title": "Bench", "body": "A notification of an ordinary length, as apps send them every day, "
        "with a second sentence that makes it about as long as they are.", "sound": "default",
        "data": {"article": "a-1029384756", "section": "news", "campaign": "bench-fanout"}}


def tokens(count, seed):
    numbers = random.Random(seed)
    return [f"{numbers.getrandbits(256):064x}" for _ in range(count)]


def import_topic(node, topic, values):
    for start in range(0, len(values), 10_000):
        batch = [{"platform": "apns", "token": value, "topics": [topic]}
                 for value in values[start:start + 10_000]]
        status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=300)
        if status != 200:
            raise SystemExit(f"import refused: {status} {body}")


def h2load(simulator, directory, values, count):
    """Requests a second of h2load with the headers and the body that the node sends."""
    info = simulator.info
    tls = pathlib.Path(info["tls_dir"])
    bearer = provider_token(tls / "apns-key.p8", info["apns_key_id"], info["apns_team_id"])
    uris = directory / "uris.txt"
    if not uris.exists():
        uris.write_text("".join(f"{info['apns']}/3/device/{value}\n" for value in values[:100_000]))
    body = directory / "body.json"
    body.write_text('{"aps":{"alert":{"title":"%s","body":"%s"},"sound":"default"},"article":"a-1029384756",'
                    '"section":"news","campaign":"bench-fanout"}' % (BODY["title"], BODY["body"]))
    headers = {"authorization": f"bearer {bearer}", "apns-topic": info["bundle"],
               "apns-push-type": "alert", "apns-priority": "10",
               "apns-id": "123e4567-e89b-82d3-a456-426614174000",
               "apns-collapse-id": "01990b1c-7b5e-7000-8000-426614174000"}
    command = [*pin(CLIENT_CORE), "h2load", "-n", str(count), "-c", "4", "-m", "100", "-t", "1",
               "-d", str(body), "-i", str(uris)]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    text = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=True).stdout
    rate = float(re.search(r"([\d.]+) req/s", text).group(1))
    good = int(re.search(r"status codes: (\d+) 2xx", text).group(1))
    if good != count:
        raise SystemExit(f"h2load: {good} of {count} requests were answered 200\n{text}")
    return rate


def publish(node, topic):
    status, _, job = node.call("POST", f"/v1/topics/{topic}/publish", BODY)
    if status != 202:
        raise SystemExit(f"publish refused: {status} {job}")
    return job["job_id"]


def node_run(node, simulator, topic, count):
    """(pushes a second from acceptance to completion, CPU us a push)"""
    simulator.reset()
    cpu = cpu_seconds(node.process.pid)
    view = wait_for_job(node, publish(node, topic), pause=0.25)
    cpu = cpu_seconds(node.process.pid) - cpu
    seconds = (milliseconds(view["completed_at"]) - milliseconds(view["created_at"])) / 1000
    stats = simulator.stats()
    if not view["counts"]["accepted"] == count == stats["unique_targets"] or stats["duplicates"]:
        raise SystemExit(f"the account does not close: {view['counts']} {stats}")
    return count / seconds, cpu / count * 1e6


def small_peak(simulator, count):
    """Peak RssAnon in MiB of a fresh node that fans out to `count` devices."""
    directory = fresh_directory("bench")
    node = Node(directory, simulator, prefix=pin(CLIENT_CORE)).start()
    try:
        import_topic(node, "small", tokens(count, 7))
        with PeakMemory(node.process.pid) as memory:
            wait_for_job(node, publish(node, "small"))
            time.sleep(0.2)
        return memory.peak
    finally:
        node.stop()


def run(quick):
    count = 50_000 if quick else 1_000_000
    pairs = 2 if quick else 5
    directory = fresh_directory("bench")
    simulator = Simulator(directory, prefix=pin(SIMULATOR_CORE))
    node = None
    try:
        small = small_peak(simulator, 10_000)
        node = Node(directory, simulator, prefix=pin(CLIENT_CORE)).start()
        values = tokens(count, 1)
        start = time.monotonic()
        import_topic(node, "all", values)
        print(f"imported {count:,} tokens at {count / (time.monotonic() - start):,.0f}/s")
        print(f"{'pair':>4} {'h2load req/s':>13} {'node push/s':>12} {'ratio':>6} {'node CPU us/push':>17}")
        ratios, costs = [], []
        with PeakMemory(node.process.pid) as memory:
            for pair in range(1, pairs + 1):
                peer = h2load(simulator, directory, values, count)
                rate, cost = node_run(node, simulator, "all", count)
                ratios.append(rate / peer)
                costs.append(cost)
                print(f"{pair:>4} {peer:>13,.0f} {rate:>12,.0f} {rate / peer:>6.3f} {cost:>17.2f}", flush=True)
        print(f"median ratio {median(ratios):.3f} (lowest {min(ratios):.3f}, highest {max(ratios):.3f}); "
              f"node CPU {median(costs):.2f} us a push")
        print(f"peak RssAnon: {small:.1f} MiB for 10,000 tokens, {memory.peak:.1f} MiB for {count:,}: "
              f"{memory.peak - small:+.1f} MiB")
        print("The limit is the node's one core: h2load and the node each have core "
              f"{CLIENT_CORE} for all their threads, the simulator has core {SIMULATOR_CORE}.")
    finally:
        if node:
            node.stop()
        simulator.stop()
