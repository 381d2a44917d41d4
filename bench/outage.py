"""Memory while the provider is down and jobs keep coming: RssAnon over ten minutes at 500 jobs a second."""

import http.client
import json
import threading
import time

from measure import rss_anon_mib

from launcher import Node, Simulator, fresh_directory

RATE = 500
USERS = 10_000
BODY = json.dumps({"title": "Your code", "body": "1234 is your login code."})


class Sender(threading.Thread):
    """Posts its share of the jobs on a connection of its own, at a steady pace."""

    def __init__(self, port, share, end, first):
        super().__init__(daemon=True)
        self.port, self.share, self.end, self.number = port, share, end, first
        self.accepted = self.refused = 0

    def run(self):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        due = time.monotonic()
        while time.monotonic() < self.end:
            self.number = (self.number + 7919) % USERS
            link.request("POST", f"/v1/users/user-{self.number}/send", BODY, {"Content-Type": "application/json"})
            answer = link.getresponse()
            answer.read()
            if answer.status == 202:
                self.accepted += 1
            else:
                self.refused += 1
            due += 1 / self.share
            time.sleep(max(0, due - time.monotonic()))


def run(quick):
    seconds, warm_up = (20, 5) if quick else (600, 30)
    directory = fresh_directory("bench")
    simulator = Simulator(directory)
    node = Node(directory, simulator, {"apns": {"request-timeout": "2s"}}).start()
    try:
        for start in range(0, USERS, 5_000):
            node.call("POST", "/v1/tokens:batch", {"tokens": [
                {"id": f"user-{i}", "platform": "apns", "token": f"{i:064x}"} for i in range(start, start + 5_000)]},
                timeout=300)
        simulator.faults({"apns": {"mix": {"503 ServiceUnavailable": 1.0}}})
        port = int(node.url.rsplit(":", 1)[1])
        end = time.monotonic() + warm_up + seconds
        senders = [Sender(port, RATE / 4, end, first) for first in range(4)]
        for each in senders:
            each.start()
        time.sleep(warm_up)
        print(f"{'s':>5} {'RssAnon MiB':>12} {'jobs accepted':>14} {'refused':>8} {'backlog':>9}", flush=True)
        samples = []
        begun = time.monotonic()
        while time.monotonic() < begun + seconds:
            samples.append(rss_anon_mib(node.process.pid))
            if (len(samples) - 1) % (seconds // 20) == 0:
                text = node.call("GET", "/metrics")[2]
                backlog = sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                              if line.startswith("signalbox_backlog{"))
                print(f"{time.monotonic() - begun:>5.0f} {samples[-1]:>12.1f} {sum(s.accepted for s in senders):>14,} "
                      f"{sum(s.refused for s in senders):>8,} {backlog:>9,.0f}", flush=True)
            time.sleep(1)
        for each in senders:
            each.join()
        breakers = node.call("GET", "/v1/breakers")[2]["items"]
        accepted = sum(each.accepted for each in senders)
        print(f"RssAnon over {seconds} s: lowest {min(samples):.1f}, highest {max(samples):.1f} MiB, spread "
              f"{max(samples) - min(samples):.1f}, last less first {samples[-1] - samples[0]:+.1f}; "
              f"{accepted / (warm_up + seconds):,.0f} jobs/s accepted; breakers {[b['kind'] + ' ' + b['state'] for b in breakers]}")
        simulator.faults({"apns": {"mix": {}}})
        healed = time.monotonic()
        while simulator.stats()["apns"]["accepted"] < accepted:
            if time.monotonic() > healed + 600:
                raise SystemExit(f"not all delivered: {simulator.stats()['apns']['accepted']} of {accepted}")
            time.sleep(0.5)
        letters = node.call("GET", "/v1/dead-letters")[2]["items"]
        print(f"healed: all {accepted:,} delivered after {time.monotonic() - healed:.0f} s, {len(letters)} dead letters, "
              f"{simulator.stats()['apns']['duplicates']} duplicates")
    finally:
        node.stop()
        simulator.stop()
