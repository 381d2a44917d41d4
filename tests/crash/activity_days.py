"""Live Activities on good and bad days, with both providers, end to end: activity_days.py SCENARIO."""

import sys
import time

from scenario import (QUICK, check, publish, register, run_chosen, stage, tokens, wait_for_job,
                      wait_until)

import demo_activity
from launcher import merged

PHONES = 200
LIVE = merged(QUICK, {
    "fcm": {"reconnect-min": "20ms", "reconnect-max": "500ms"},
    "lane": {"live-activity": QUICK["lane"]["push"]}})
START = {"activityType": demo_activity.TYPE, "topicId": demo_activity.TOPIC, "options": {
    "alert": {"title": "Kick-off"}, "attributesType": "MatchAttributes", "attributes": {"home": "Lions"}}}


def phones_with_an_activity(node):
    """Phones on which the activity has started."""
    phones = demo_activity.phones_of(PHONES, 1)
    for phone in phones:
        phone.install(node)
    start = demo_activity.dispatch(node, "start", 0, **START)
    view = wait_for_job(node, start)
    check(view["counts"]["accepted"] == PHONES, f"the start: {view['counts']}")
    for phone in phones:
        phone.started(node)
    return phones


def update(node, first, last, pause=0.0):
    jobs = []
    for seq in range(first, last + 1):
        jobs.append(demo_activity.dispatch(node, "update", seq))
        time.sleep(pause)
    return jobs


def check_ended(node, simulator, phones, jobs, end_seq):
    """Every account closes, and the end is what every phone got last, after nothing newer."""
    jobs.append(demo_activity.dispatch(node, "end", end_seq))
    for job in jobs:
        wait_for_job(node, job)
    wrong = [(phone.platform, phone.last(simulator)) for phone in phones
             if phone.last(simulator) != ("end", end_seq)]
    check(not wrong, f"{len(wrong)} of {len(phones)} phones did not get the end last: {wrong[:5]}")
    stats = simulator.stats()
    check(stats["out_of_order"] == 0, f"{stats['out_of_order']} requests came after a newer one")
    check(stats["timestamp_decreased"] == 0, f"{stats['timestamp_decreased']} timestamps went back")
    status, _, activity = node.call("GET", f"/v1/live-activity/jobs/{demo_activity.ACTIVITY}")
    check(status == 200 and activity["status"] == "CLOSED", f"the activity: {status} {activity}")


def what_requests_are_answered():
    """What each request is answered: 202 with its dispatch, or 200, 400 and 404 without one."""
    with stage(LIVE) as (node, _):
        phones = demo_activity.phones_of(4, 1)
        for phone in phones:
            phone.install(node)
        name, state = {"activityId": demo_activity.ACTIVITY}, {"payload": {"seq": 1}}
        start = {"action": "start", **name, **state, **START}

        def ask(event, expected, outcome=None):
            status, _, answer = node.call("POST", "/v1/live-activity/jobs", event)
            check(status == expected and (not outcome or answer["status"] == outcome), f"{event}: {status} {answer}")
            check(("dispatchId" in answer) == (expected == 202), f"{event}: {answer}")
            return wait_for_job(node, answer["dispatchId"]) if expected == 202 else None

        ask({"action": "update", **name, **state}, 404)
        for left_out in ("alert", "attributesType", "attributes"):
            options = {key: value for key, value in START["options"].items() if key != left_out}
            ask({**start, "options": options}, 400)
        ask(start, 202, "started")
        ask(start, 200, "already_started")
        ask({"action": "update", **name, **state}, 202, "updated")
        ask({"action": "end", **name}, 202, "ended")
        ask({"action": "end", **name}, 200, "closed")
        ask({"action": "update", **name, **state}, 404)
        ask(start, 200, "already_started")


def updates_faster_than_a_pass():
    """Updates that come faster than they can be sent replace each other, and the end arrives."""
    with stage(LIVE) as (node, simulator):
        phones = phones_with_an_activity(node)
        simulator.faults({name: {"latency_ms": [400, 800]} for name in ("apns", "fcm")})
        jobs = update(node, 1, 60)
        check_ended(node, simulator, phones, jobs, 61)
        sent = simulator.stats()["requests"]
        check(sent < 30 * PHONES, f"{sent} requests: little was superseded")


def updates_beside_a_fan_out():
    """Both lanes at once: all accounts close, and the order holds."""
    with stage(LIVE) as (node, simulator):
        register(node, tokens(20_000, 2), "all")
        phones = phones_with_an_activity(node)
        simulator.faults({name: {"latency_ms": [20, 40]} for name in ("apns", "fcm")})
        push = publish(node, "all")
        jobs = update(node, 1, 20, 0.02)
        check_ended(node, simulator, phones, jobs, 21)
        view = wait_for_job(node, push)
        check(view["counts"]["accepted"] == 20_000, f"{view['counts']}")


def killed_between_updates():
    """kill -9 with updates on their way, twice: what comes afterwards is newer for every phone."""
    with stage(LIVE) as (node, simulator):
        phones = phones_with_an_activity(node)
        simulator.faults({name: {"latency_ms": [20, 40]} for name in ("apns", "fcm")})
        jobs = []
        for round_ in range(2):
            jobs += update(node, 20 * round_ + 1, 20 * round_ + 20, 0.01)
            node.kill()
            node.start()
        check_ended(node, simulator, phones, jobs, 41)


def killed_in_a_start():
    """A start that may have left is not sent again: no phone shows the activity twice."""
    with stage(LIVE) as (node, simulator):
        phones = demo_activity.phones_of(PHONES, 1)
        for phone in phones:
            phone.install(node)
        simulator.faults({name: {"latency_ms": [100, 200]} for name in ("apns", "fcm")})
        start = demo_activity.dispatch(node, "start", 0, **START)
        wait_until(lambda: simulator.stats()["requests"] > 0, "sending has begun", pause=0.005)
        node.kill()
        node.start()
        view = wait_for_job(node, start)
        counts = view["counts"]
        check(counts["total"] == counts["accepted"] + counts["unknown"] == PHONES, f"{counts}")
        stats = simulator.stats()
        check(stats["requests"] == stats["unique_targets"] <= PHONES, f"{stats['requests']} requests")
        check(stats["duplicates"] == 0, f"{stats['duplicates']} phones were started twice")


def an_unreliable_provider():
    """Busy answers, lost answers and dropped connections: retries never overtake what is newer."""
    with stage(merged(LIVE, {"apns": {"request-timeout": "5s"}})) as (node, simulator):
        phones = phones_with_an_activity(node)
        simulator.faults({
            "apns": {"mix": {"503 ServiceUnavailable": 0.1, "429 TooManyRequests": 0.05, "no-answer": 0.01,
                             "reset": 0.005}, "latency_ms": [5, 30]},
            "fcm": {"mix": {"500 INTERNAL": 0.1}, "latency_ms": [5, 30]}})
        jobs = update(node, 1, 30, 0.1)
        simulator.faults({"apns": {"mix": {}}, "fcm": {"mix": {}}})
        check_ended(node, simulator, phones, jobs, 31)


def an_outage_during_updates():
    """The breaker opens; when it closes, only what is newest goes out, and nobody was charged."""
    with stage(LIVE) as (node, simulator):
        phones = phones_with_an_activity(node)
        simulator.faults({"apns": {"mix": {"503 ServiceUnavailable": 1.0}}})
        jobs = update(node, 1, 10, 0.05)
        wait_until(lambda: [each for each in node.call("GET", "/v1/breakers")[2]["items"]
                            if each["lane"] == "live-activity"], "the breaker opens")
        jobs += update(node, 11, 20, 0.05)
        simulator.faults({"apns": {"mix": {}}})
        check_ended(node, simulator, phones, jobs, 21)


def stopped_between_updates():
    """An orderly stop with updates on their way; what is unfinished goes on with the next start."""
    with stage(LIVE) as (node, simulator):
        phones = phones_with_an_activity(node)
        simulator.faults({name: {"latency_ms": [20, 40]} for name in ("apns", "fcm")})
        jobs = update(node, 1, 20)
        check(node.stop() == 0, "the stop was not orderly")
        node.start()
        jobs += update(node, 21, 30)
        check_ended(node, simulator, phones, jobs, 31)



def further_lanes():
    """Lanes of both kinds by configuration, chosen by the request; the wrong kind is a 400."""
    more = merged(LIVE, {"lane": {"bulk": {"kind": '"push"'}, "matches": {"kind": '"live-activity"'}}})
    with stage(more) as (node, simulator):
        register(node, tokens(20_000, 2), "all")
        phones = phones_with_an_activity(node)
        simulator.faults({"apns": {"latency_ms": [20, 40]}})
        bulk = publish(node, "all", lane="bulk")
        jobs = [demo_activity.dispatch(node, "update", 1, lane="matches")]
        jobs += [demo_activity.dispatch(node, "update", 2)]
        for body, path in (({"title": "x", "lane": "matches"}, "/v1/topics/all/publish"),
                           ({"title": "x", "lane": "none"}, "/v1/topics/all/publish")):
            status, _, answer = node.call("POST", path, body)
            check(status == 400 and answer["errors"][0]["pointer"] == "/lane", f"{body}: {status} {answer}")
        check_ended(node, simulator, phones, jobs, 3)
        view = wait_for_job(node, bulk)
        check(view["lane"] == "bulk" and view["counts"]["accepted"] == 20_000, f"{view}")
        status, _, view = node.call("GET", f"/v1/notifications/{jobs[0]}")
        check(view["lane"] == "matches", f"{view}")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
