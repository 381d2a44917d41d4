"""Days with two providers, end to end on real sockets, TLS, HTTP/2 and files: fcm_days.py SCENARIO."""

import random
import signal
import sqlite3
import sys
import time

from scenario import (HASTY, QUICK, check, finished, live_tokens, publish, run_chosen, stage, tokens, view_of,
                      wait_for_job, wait_until)

from launcher import merged

COUNT = 3_000  # of each provider
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
BOTH = merged(QUICK, {"fcm": {"reconnect-min": "20ms", "reconnect-max": "500ms"}})


def registrations(count, seed=1):
    """As long as FCM makes them."""
    numbers = random.Random(seed)
    return ["".join(numbers.choices(ALPHABET, k=22)) + ":APA91b" + "".join(numbers.choices(ALPHABET, k=134))
            for _ in range(count)]


def register(node, values, platform, topic):
    for start in range(0, len(values), 5_000):
        batch = [{"platform": platform, "token": value, "topics": [topic]}
                 for value in values[start:start + 5_000]]
        status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=120)
        check(status == 200, f"registration refused: {status} {body}")


def register_both(node, topic="all", count=COUNT):
    register(node, tokens(count), "apns", topic)
    values = registrations(count)
    register(node, values, "fcm", topic)
    return values


def invalidated(node, platform):
    """Tokens of a platform (apns 1, fcm 2) that are not live any more."""
    with sqlite3.connect(f"file:{node.directory / 'signalbox.db'}?mode=ro", uri=True) as store:
        return {row[0] for row in store.execute(
            "SELECT token FROM tokens WHERE platform = ? AND invalidated_at IS NOT NULL", (platform,))}


def accepted_by_fcm(node):
    """Targets of FCM that a job's chunks count as accepted."""
    with sqlite3.connect(f"file:{node.directory / 'signalbox.db'}?mode=ro", uri=True) as store:
        return store.execute("SELECT sum(accepted) FROM chunks WHERE provider = 2").fetchone()[0]


def payloads_that_no_provider_takes_are_refused_and_leave_no_memory():
    """80 jobs with 1.5 MB in an overlay: each is a 400 that points at it, and nothing of them stays."""
    with stage(BOTH) as (node, simulator):
        token = registrations(1)[0]

        def push(**more):
            return node.call("POST", "/v1/notifications",
                             {"title": "t", "tokens": [{"platform": "fcm", "token": token}], **more}, timeout=60)

        def anonymous_mib():
            lines = open(f"/proc/{node.process.pid}/status").read().splitlines()
            return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon"))

        status, _, body = push()
        check(status == 202, f"{status} {body}")
        before = anonymous_mib()
        much = "x" * 1_500_000
        for n in range(80):
            over = [{"fcm": {"webpush": {"data": {"k": much}}}}, {"apns": {"payload": {"k": much}}},
                    {"fcm": {"webpush": {"data": {f"{n}": None, "k": much}}}}, {"data": {"k": much}}][n % 4]
            status, _, body = push(**over)
            check(status == 400 and body["errors"][0]["pointer"].startswith("/" + next(iter(over))),
                  f"{status} {str(body)[:300]}")
        after = anonymous_mib()
        check(after - before < 60, f"{before:.1f} MiB before, {after:.1f} MiB after")


def a_mixed_job():
    """The account is the sum of what both providers counted."""
    with stage(BOTH) as (node, simulator):
        register_both(node)
        view = wait_for_job(node, publish(node, "all", ttl=3600, data={"order": "42"}))
        stats = simulator.stats()
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        for provider in ("apns", "fcm"):
            seen = stats[provider]
            check(seen["accepted"] == seen["unique_targets"] == COUNT, f"{provider}: {seen}")
            check(seen["unique_apns_ids"] == COUNT and seen["duplicates"] == 0, f"{provider}: {seen}")
        check(stats["fcm"]["token_requests"] == 1, "more than one access token was fetched")


def a_fifth_unregistered():
    """Exactly the unregistered ones are invalidated, and only FCM's."""
    with stage(BOTH) as (node, simulator):
        values = register_both(node)
        simulator.faults({"fcm": {"mix": {"404 UNREGISTERED": 0.2}}})
        view = wait_for_job(node, publish(node, "all"))
        dead = simulator.stats()["fcm"]["by_reason"]["UNREGISTERED"]
        check(COUNT * 0.15 < dead < COUNT * 0.25, f"{dead} of {COUNT}")
        check(view["counts"]["rejected"] == dead, f"{view['counts']}, {dead} unregistered")
        gone = invalidated(node, 2)
        check(len(gone) == dead and gone <= set(values), f"{len(gone)} invalidated, {dead} unregistered")
        check(not invalidated(node, 1), "APNs tokens were invalidated")
        simulator.reset()
        view = wait_for_job(node, publish(node, "all"))
        check(view["counts"]["total"] == view["counts"]["accepted"] == 2 * COUNT - dead, f"{view['counts']}")


def a_storm_of_invalid_tokens():
    """INVALID_ARGUMENT for all is no reason to lose the token base."""
    with stage(BOTH) as (node, simulator):
        register(node, registrations(COUNT), "fcm", "all")
        view = wait_for_job(node, publish(node, "all"))  # the project works
        check(view["counts"]["accepted"] == COUNT, f"{view['counts']}")
        simulator.faults({"fcm": {"mix": {"400 INVALID_ARGUMENT": 1.0}}})
        view = wait_for_job(node, publish(node, "all"))
        lost = len(invalidated(node, 2))
        # One more than a hundred, or than a twentieth of the last minute's answers, those of the first push included.
        check(0 < lost <= max(101, 2 * COUNT // 20), f"{lost} tokens were invalidated in a storm")


def another_projects_tokens():
    """SENDER_ID_MISMATCH for all means the account, not the tokens."""
    with stage(BOTH) as (node, simulator):
        register(node, registrations(COUNT), "fcm", "all")
        simulator.faults({"fcm": {"mix": {"403 SENDER_ID_MISMATCH": 1.0}}})
        view = wait_for_job(node, publish(node, "all"))
        check(view["counts"]["rejected"] == COUNT, f"{view['counts']}")
        check(live_tokens(node, "all") == COUNT, "tokens were invalidated")


def too_many_messages():
    """429 with Retry-After holds back the whole project, and nothing is lost."""
    lanes = {name: {"lease": "5min"} for name in ("push", "live-activity")}
    patient = {"fcm": {"request-timeout": "1min"}, "lane": lanes}
    with stage(merged(BOTH, patient)) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"mix": {"429 QUOTA_EXCEEDED": 1.0}, "retry_after_s": 10}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["fcm"]["rejected"] > 0, "429 is answered")
        time.sleep(2)  # what had left before is answered
        before = simulator.stats()["fcm"]["requests"]
        time.sleep(2)
        check(simulator.stats()["fcm"]["requests"] == before, "a request left before Retry-After was over")
        check(before < COUNT, "the whole fan-out was refused one by one")
        wait_until(lambda: simulator.stats()["apns"]["accepted"] == COUNT, "APNs is done meanwhile")
        wait_until(lambda: simulator.stats()["fcm"]["requests"] > before, "one request asks again")
        time.sleep(0.5)
        check(simulator.stats()["fcm"]["requests"] == before + 1, "more than one request asked again")
        simulator.faults({"fcm": {"mix": {}}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(simulator.stats()["fcm"]["duplicates"] == 0, "duplicates")


def a_long_pause():
    """A Retry-After beyond the request timeout: FCM's work goes back, a cancel takes effect at once."""
    with stage(merged(BOTH, HASTY)) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"mix": {"429 QUOTA_EXCEEDED": 1.0}, "retry_after_s": 30}})
        job, cancelled = publish(node, "all"), publish(node, "all")
        breakers = wait_until(lambda: node.call("GET", "/v1/breakers")[2]["items"], "the breaker opens")
        check([(each["provider"], each["kind"]) for each in breakers] == [("fcm", "outage")], f"{breakers}")
        wait_until(lambda: simulator.stats()["apns"]["accepted"] == 2 * COUNT, "APNs is done meanwhile")
        before = simulator.stats()["fcm"]["requests"]
        check(before < COUNT, "the whole fan-out was refused one by one")
        status, _, body = node.call("DELETE", f"/v1/notifications/{cancelled}")
        check(status in (200, 202, 204), f"cancel refused: {status} {body}")
        wait_for_job(node, cancelled, 20)
        check(simulator.stats()["fcm"]["requests"] == before, "a request left before Retry-After was over")
        simulator.faults({"fcm": {"mix": {}}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(simulator.stats()["fcm"]["duplicates"] == 0, "duplicates")


def some_too_many_messages():
    with stage(BOTH) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"mix": {"429 QUOTA_EXCEEDED": 0.05, "503 UNAVAILABLE": 0.02,
                                          "500 INTERNAL": 0.02}, "retry_after_s": 1}})
        view = wait_for_job(node, publish(node, "all"), 240)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(simulator.stats()["fcm"]["duplicates"] == 0, "duplicates")


def fcm_stalls():
    """The APNs half of a job finishes while FCM's answers nothing."""
    with stage(merged(BOTH, {"fcm": HASTY["fcm"]})) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"stall": True}})
        job = publish(node, "all")
        wait_until(lambda: view_of(node, job)["counts"]["accepted"] == COUNT, "APNs is done")
        check(simulator.stats()["apns"]["accepted"] == COUNT, "the accepted ones are not APNs'")
        check(finished(view_of(node, job)) == COUNT, "FCM's ended without an answer")
        simulator.faults({"fcm": {"stall": False}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(simulator.stats()["fcm"]["unique_targets"] == COUNT, "devices were left out")


def access_tokens_are_revoked():
    """401: another token is fetched, and the job goes on."""
    with stage(BOTH) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"latency_ms": [500, 1000]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["fcm"]["accepted"] > 100, "sending has begun")
        simulator.faults({"fcm": {"token_generation": 1}})
        view = wait_for_job(node, job)
        stats = simulator.stats()["fcm"]
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(stats["token_requests"] == 2, f"{stats['token_requests']} access tokens were fetched")
        check(0 < stats["by_reason"]["UNAUTHENTICATED"] <= 400, f"{stats['by_reason']}")


def no_access_token():
    """Google's token endpoint is out of order: nobody is charged, and APNs does not notice."""
    with stage(merged(BOTH, {"fcm": HASTY["fcm"]})) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"token_generation": 1, "token_status": 503}})
        job = publish(node, "all")
        wait_until(lambda: view_of(node, job)["counts"]["accepted"] == COUNT, "APNs is done")
        time.sleep(3)  # longer than the request timeout
        check(finished(view_of(node, job)) == COUNT, "FCM's ended without a try")
        simulator.faults({"fcm": {"token_status": 0}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")


def the_account_is_refused():
    """PERMISSION_DENIED pauses FCM alone; after a reload of the account the job goes on, and nobody paid."""
    with stage(BOTH) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"mix": {"403 PERMISSION_DENIED": 1.0}}})
        job = publish(node, "all")
        wait_until(lambda: view_of(node, job)["counts"]["accepted"] == COUNT, "APNs is done")
        breakers = wait_until(lambda: node.call("GET", "/v1/breakers")[2]["items"], "the breaker opens")
        check([(each["provider"], each["kind"]) for each in breakers] == [("fcm", "configuration")],
              f"{breakers}")
        check(breakers[0]["reason"] == "PERMISSION_DENIED", f"{breakers}")
        simulator.faults({"fcm": {"mix": {}}})
        node.signal(signal.SIGHUP)
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(not invalidated(node, 2), "tokens were invalidated")


def killed_in_a_fan_out():
    """The marker in data tells FCM's duplicates: at most the windows of the node that died."""
    settings = merged(BOTH, {"lane": {"push": {"window": 300}}})
    with stage(settings) as (node, simulator):
        register_both(node)
        simulator.faults({"fcm": {"latency_ms": [10, 20]}, "apns": {"latency_ms": [10, 20]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["fcm"]["accepted"] > 1000, "sending has begun")
        node.kill()
        node.start()
        view = wait_for_job(node, job)
        stats = simulator.stats()["fcm"]
        check(view["counts"]["accepted"] == 2 * COUNT, f"{view['counts']}")
        check(stats["unique_targets"] == stats["unique_apns_ids"] == COUNT, f"{stats}")
        check(stats["duplicates"] <= 300, f"{stats['duplicates']} duplicates of a window of 300")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
