"""Jobs of one device, posted while a job of a million runs on the same lane: from the 202 to the outcome."""

import time

from measure import milliseconds, percentile, wait_for_job

import fanout
from launcher import Node, Simulator, fresh_directory


def run(quick):
    count = 100_000 if quick else 1_000_000
    directory = fresh_directory("bench")
    simulator = Simulator(directory)
    node = None
    try:
        node = Node(directory, simulator).start()
        fanout.import_topic(node, "all", fanout.tokens(count, 1))
        node.call("POST", "/v1/users/tokens", {"id": "one", "platform": "apns", "token": "ab" * 32})
        for label in ("idle lane", f"beside a job of {count:,}"):
            jobs = []
            big = fanout.publish(node, "all") if label != "idle lane" else None
            end = time.monotonic() + 5
            while True:
                status, _, job = node.call("POST", "/v1/users/one/send", fanout.BODY)
                if status != 202:
                    raise SystemExit(f"send refused: {status} {job}")
                jobs.append(job["job_id"])
                time.sleep(0.02)
                if big:
                    if len(jobs) % 10 == 0 and node.call("GET", f"/v1/notifications/{big}")[2]["completed_at"]:
                        jobs = jobs[:-10]
                        break
                elif time.monotonic() > end:
                    break
            views = [wait_for_job(node, job) for job in jobs]
            times = [milliseconds(v["completed_at"]) - milliseconds(v["created_at"]) for v in views]
            print(f"{label}: {len(times)} jobs, accepted to outcome p50 {percentile(times, 0.5):.0f} ms, "
                  f"p99 {percentile(times, 0.99):.0f} ms, max {max(times):.0f} ms", flush=True)
        print("Node, simulator and this program share all cores: they are the limit.")
    finally:
        if node:
            node.stop()
        simulator.stop()
