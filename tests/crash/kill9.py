"""kill -9 at random moments: during import, ingest, planning, fan-out, flush and stop.

Every 202 must end COMPLETED with a closed account, the simulator must have seen every target, and
duplicates are at most the sum of the send windows at the kills. The seed decides all moments.
"""

import argparse
import http.client
import json
import random
import signal
import sys
import threading
import time
import urllib.error

from scenario import QUICK, Failed, check, finished, publish, register, stage, tokens, wait_for_job, window_of

from launcher import merged


class Clients:
    """Posts jobs all the time, whether the node is there or not, and keeps what was answered 202."""

    def __init__(self, node, users, seed):
        self.node, self.users, self.seed = node, users, seed
        self.jobs, self.lost_answers, self.failures = [], 0, []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.post, args=(n,), daemon=True) for n in range(4)]
        for each in self.threads:
            each.start()

    def post(self, number):
        numbers = random.Random(f"{self.seed}, client {number}")
        while not self.ended.is_set():
            user = numbers.randrange(self.users)
            try:
                status, _, body = self.node.call("POST", f"/v1/users/user-{user}/send", {"title": "x"}, timeout=5)
                if status == 202:
                    self.jobs.append(body["job_id"])
                else:
                    if status != 503:
                        self.failures.append(f"a good push was answered {status} {body}")
                    time.sleep(0.02)
            except (OSError, urllib.error.URLError, http.client.HTTPException):
                self.lost_answers += 1
                time.sleep(0.02)

    def stop(self):
        self.ended.set()
        for each in self.threads:
            each.join()
        check(not self.failures, "; ".join(self.failures[:3]))


def run(seed, kills, devices, bin_dir=None):
    numbers = random.Random(seed)
    values = tokens(devices, seed)
    # A small window, which is the bound, and outcomes that wait a little for their commit; and leases
    # that only a start makes void.
    settings = merged(QUICK, {"lane": {"push": {"window": 100, "flush-interval": "50ms", "lease": "10min"}}})
    counted = 0
    with stage(settings, bin_dir, seed) as (node, simulator):
        # 1. during the import: what was not answered is imported again
        importing = threading.Thread(target=lambda: quietly(lambda: register(node, values, "all", users=True)))
        importing.start()
        time.sleep(numbers.uniform(0.01, 0.3))
        node.kill()
        importing.join()
        node.start()
        register(node, values, "all", users=True)

        # 2. in the midst of ingest, planning, fan-out and flush
        clients = Clients(node, devices, seed)
        topics = []
        killed = 0
        for round_number in range(kills):
            topics.append(publish_in_time(node))
            time.sleep(numbers.choice([numbers.uniform(0.0, 0.05), numbers.uniform(0.0, 0.8)]))
            if round_number % 5 == 4:  # 3. in the midst of an orderly stop
                node.signal(signal.SIGTERM)
                time.sleep(numbers.uniform(0.0, 0.05))
            node.kill()
            killed += 1
            node.start()
        time.sleep(0.2)
        clients.stop()
        check(len(topics) == kills and clients.jobs, f"{len(topics)} fan-outs and {len(clients.jobs)} single jobs")

        # Every 202 ends, and its account closes.
        for job in topics:
            view = wait_for_job(node, job, 300)
            check(view["status"] == "COMPLETED", f"{view}")
            check(view["counts"]["accepted"] == devices == finished(view), f"{view['counts']}")
            counted += devices
        for job in clients.jobs:
            view = wait_for_job(node, job, 300)
            check(view["status"] == "COMPLETED" and view["counts"]["accepted"] == 1, f"{view}")
            counted += 1
        stats = simulator.stats()
        bound = killed * window_of(settings)
        check(stats["unique_targets"] == devices, f"{stats['unique_targets']} of {devices} devices")
        # Jobs whose 202 was lost on the way may have been sent as well.
        check(counted <= stats["unique_apns_ids"] <= counted + clients.lost_answers,
              f"{stats['unique_apns_ids']} distinct pushes for {counted} accepted")
        check(stats["duplicates"] <= bound, f"{stats['duplicates']} duplicates, at most {bound} are allowed")
        result = {"seed": seed, "kills": killed + 1, "jobs": len(topics) + len(clients.jobs), "targets": counted,
                  "lost": 0, "duplicates": stats["duplicates"], "bound": bound}
    return result


def publish_in_time(node):
    for _ in range(1_000):
        try:
            return publish(node, "all")
        except Failed:
            time.sleep(0.05)
    raise Failed("no publish was accepted")


def quietly(call):
    try:
        call()
    except (OSError, Failed, http.client.HTTPException):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--kills", type=int, default=8)
    parser.add_argument("--devices", type=int, default=10_000)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    start = time.monotonic()
    try:
        result = run(options.seed, options.kills, options.devices)
    except Failed as error:
        print(f"FAILED with seed {options.seed}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result), f"in {time.monotonic() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
