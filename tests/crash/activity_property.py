"""Random interleavings of starts, updates and ends, faults of both providers, crashes and restarts.

What each device saw is in order, and the last thing it got is the last thing that was accepted for
its activity. The seed decides everything that is asked for.
"""

import argparse
import http.client
import json
import random
import signal
import sys
import time
import urllib.error
import urllib.parse

from scenario import OUTCOMES, QUICK, Failed, check, stage, wait_until

from demo_activity import apns_token, fcm_token
from launcher import merged, request

LIVE = merged(QUICK, {
    "apns": {"request-timeout": "1s"},
    "fcm": {"request-timeout": "1s", "reconnect-min": "20ms", "reconnect-max": "500ms"},
    "lane": {"live-activity": {**QUICK["lane"]["push"], "window": 60, "flush-interval": "10ms", "lease": "3s",
                               "max-attempts": 50}}})
FAULTS = [
    {"apns": {"mix": {}, "latency_ms": [1, 3]}, "fcm": {"mix": {}, "latency_ms": [1, 3]}},
    {"apns": {"latency_ms": [20, 60]}, "fcm": {"latency_ms": [20, 60]}},
    {"apns": {"mix": {"503 ServiceUnavailable": 0.2}}, "fcm": {"mix": {"500 INTERNAL": 0.2}}},
    {"apns": {"mix": {"429 TooManyRequests": 0.3, "no-answer": 0.02}}, "fcm": {"mix": {"no-answer": 0.02}}},
    {"apns": {"mix": {"reset": 0.02}}, "fcm": {"mix": {"reset": 0.02}}},
    {"apns": {"goaway_every": 100, "refuse_every": 50}},
    {"apns": {"mix": {"500 InternalServerError": 1.0}}},
]
CALM = {name: {"mix": {}, "latency_ms": [0, 0], "goaway_every": 0, "refuse_every": 0} for name in ("apns", "fcm")}


class Activity:
    """An activity, its devices' update tokens, and what is known to be accepted of it."""

    def __init__(self, name, scope, target, devices, numbers):
        self.name, self.scope, self.target = name, scope, target
        self.devices = [(f"{name}-user-{n}" if scope == "topicId" else target,
                         "fcm" if n % 4 == 3 else "apns",
                         apns_token(numbers) if n % 4 != 3 else fcm_token(numbers)) for n in range(devices)]
        self.posted, self.dispatches = 0, []
        self.started = self.ended = False


class World:
    def __init__(self, node, simulator, numbers):
        self.node, self.simulator, self.numbers = node, simulator, numbers
        self.activities = [Activity(f"match-{n}", "topicId", f"topic-{n}", 60, numbers) for n in range(2)]
        self.activities += [Activity(f"ride-{n}", "userId", f"rider-{n}", 2, numbers) for n in range(6)]

    def call(self, method, path, body, good=(200, 201, 202)):
        """Until it is answered: what a crash has swallowed is asked again."""
        for _ in range(600):
            try:
                status, _, answer = self.node.call(method, path, body, timeout=5)
            except (OSError, urllib.error.URLError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            if status == 503:
                time.sleep(0.02)
                continue
            check(status in good, f"{method} {path} {body}: {status} {answer}")
            return status, answer
        raise Failed(f"{method} {path} is never answered")

    def token(self, activity, device, kind, value, **more):
        user, platform, _ = device
        topic = {"topicId": activity.target} if activity.scope == "topicId" else {}
        self.call("POST", "/v1/live-activity/tokens", {"userId": user, "platform": platform, "tokenType": kind,
                                                       "token": value, **topic, **more})

    def install(self):
        for activity in self.activities:
            for device in activity.devices:
                if device[1] == "apns":
                    self.token(activity, device, "start", apns_token(self.numbers))
                    self.token(activity, device, "update", device[2], activityId=activity.name)
                else:
                    self.token(activity, device, "update", device[2], activityId=activity.name)
        # Somebody else's device with a known activity id gets nothing.
        self.foreign = apns_token(self.numbers)
        for activity in self.activities[:1]:
            self.call("POST", "/v1/live-activity/tokens", {
                "userId": "stranger", "platform": "apns", "tokenType": "update", "token": self.foreign,
                "activityId": activity.name})

    def post(self, activity, action):
        """Numbers rise with every attempt; one whose answer was lost may have been accepted or not."""
        seq = activity.posted
        activity.posted += 1
        event = {"action": action, "activityId": activity.name, "payload": {"seq": seq}}
        if action == "start":
            event |= {"activityType": activity.name, activity.scope: activity.target, "options": {
                "alert": {"title": "Start"}, "attributesType": "Attributes", "attributes": {"name": activity.name}}}
        try:
            status, _, answer = self.node.call("POST", "/v1/live-activity/jobs", event, timeout=5)
        except (OSError, urllib.error.URLError, http.client.HTTPException):
            return
        if status == 202:
            activity.dispatches.append(answer["dispatchId"])
        else:
            check(status in (200, 404, 503), f"{event}: {status} {answer}")

    def step(self):
        numbers = self.numbers
        activity = numbers.choice(self.activities)
        choice = numbers.random()
        if not activity.started:
            self.post(activity, "start")
            activity.started = True
        elif choice < 0.03 and activity.posted > 10:
            self.post(activity, "end")
            activity.ended = True
        else:
            for _ in range(numbers.choice([1, 1, 1, 5, 20])):
                self.post(activity, "update")
                if numbers.random() < 0.3:
                    time.sleep(numbers.uniform(0, 0.02))

    def disturb(self):
        numbers = self.numbers
        choice = numbers.random()
        if choice < 0.6:
            self.simulator.faults(CALM)
            self.simulator.faults(numbers.choice(FAULTS))
        elif choice < 0.85:
            self.node.kill()
            self.node.start()
        else:
            self.node.signal(signal.SIGTERM)
            time.sleep(numbers.uniform(0, 0.1))
            self.node.kill()
            self.node.start()

    def last_of(self, device):
        """(event, seq) that the device got last."""
        query = urllib.parse.quote(device[2], safe="")
        status, _, seen = request("GET", f"{self.simulator.info['admin']}/stats/devices?token={query}")
        if status != 200 or not seen["last"]:
            return None
        body = seen["last"]["body"]
        if device[1] == "apns":
            return body["aps"]["event"], body["aps"]["content-state"]["seq"]
        data = body["message"]["data"]
        return data["action"], json.loads(data["payload"])["seq"]

    def accepted(self, activity):
        """What the node accepted last, as it says itself: (action, seq) and its dispatches."""
        status, page = self.call("GET", f"/v1/live-activity/jobs/{activity.name}", None, (200, 404))
        if status == 404:
            return None, []
        dispatches, cursor = [], ""
        while True:
            _, listed = self.call("GET", f"/v1/live-activity/jobs/{activity.name}/dispatches?limit=200{cursor}", None)
            dispatches += listed["items"]
            if not listed["has_more"]:
                break
            cursor = f"&cursor={urllib.parse.quote(listed['next_cursor'])}"
        return (dispatches[0]["action"], page["payload"]["seq"]), dispatches

    def judge(self):
        checked = 0
        for activity in self.activities:
            last, dispatches = self.accepted(activity)
            check(last or not activity.dispatches, f"{activity.name} is lost")
            if not last:
                continue
            known = {each["dispatchId"] for each in dispatches}
            check(known >= set(activity.dispatches), f"{activity.name}: a 202 is lost")
            for each in dispatches:
                wait_until(lambda: self.is_closed(each["dispatchId"]), f"{activity.name} {each} closes")
            for device in activity.devices:
                got = self.last_of(device)
                # An iPhone is started by its other token.
                if last[0] == "start" and device[1] == "apns":
                    continue
                if last[0] == "start" and got is None:
                    continue  # a start that may have left is not sent again
                check(got == last, f"{activity.name}: a device got {got} last, and {last} was accepted last")
                checked += 1
        check(self.last_of(("stranger", "apns", self.foreign)) is None, "a stranger got an update")
        stats = self.simulator.stats()
        check(stats["out_of_order"] == 0, f"{stats['out_of_order']} came after a newer one")
        check(stats["timestamp_decreased"] == 0, f"{stats['timestamp_decreased']} timestamps went back")
        return checked, stats

    def is_closed(self, dispatch):
        _, view = self.call("GET", f"/v1/notifications/{dispatch}", None)
        counts = view["counts"]
        if not view["completed_at"]:
            return False
        check(counts["total"] == sum(counts[name] for name in OUTCOMES), f"{dispatch} does not close: {counts}")
        return True


def run(seed, steps, bin_dir=None):
    numbers = random.Random(seed)
    # The order does not hang on who sends.
    instances = {"lane": {"live-activity": {"senders": numbers.choice([1, 3]), "masters": numbers.choice([1, 2])}}}
    with stage(merged(LIVE, instances), bin_dir, seed) as (node, simulator):
        world = World(node, simulator, numbers)
        world.install()
        for number in range(steps):
            world.step()
            if number % 6 == 5:
                world.disturb()
        simulator.faults(CALM)
        # Whatever was going on, one more update after all of it.
        for activity in world.activities:
            if activity.started and not activity.ended and numbers.random() < 0.5:
                world.post(activity, "update")
        checked, stats = world.judge()
        superseded = sum(1 for activity in world.activities for each in world.accepted(activity)[1]
                         if each["status"] == "SUPERSEDED")
        return {"seed": seed, "dispatches": sum(len(each.dispatches) for each in world.activities),
                "superseded": superseded, "requests": stats["requests"], "devices_checked": checked,
                "out_of_order": stats["out_of_order"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--steps", type=int, default=120)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    start = time.monotonic()
    try:
        result = run(options.seed, options.steps)
    except Failed as error:
        print(f"FAILED with seed {options.seed}: {error}", file=sys.stderr)
        return 1
    print(json.dumps(result), f"in {time.monotonic() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
