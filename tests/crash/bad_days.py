"""Bad days, each end to end on real sockets, TLS, HTTP/2 and files: bad_days.py SCENARIO."""

import os
import pathlib
import random
import signal
import sqlite3
import sys
import threading
import time

from scenario import (HASTY, QUICK, check, finished, live_tokens, publish, register, run_chosen, stage, tokens,
                      view_of, wait_for_job, wait_until)

from launcher import merged

COUNT = 5_000


def settings(**push):
    return merged(QUICK, {"lane": {"push": {key.replace("_", "-"): value for key, value in push.items()}}})


# One try for each target: only what certainly was not sent is sent again.
ONE_TRY = {"ttl": 0}


def run_with_faults(faults, expect_all_accepted=True, count=COUNT, more=None, push=None):
    with stage(merged(QUICK, more or {})) as (node, simulator):
        register(node, tokens(count), "all")
        simulator.faults({"apns": faults})
        view = wait_for_job(node, publish(node, "all", **(push or {})))
        stats = simulator.stats()
        if expect_all_accepted:
            check(stats["unique_targets"] == count, f"the simulator saw {stats['unique_targets']} of {count}")
            check(view["counts"]["accepted"] == count, f"not all were accepted: {view['counts']}")
        return view, stats


def goaway_every_1000():
    view, stats = run_with_faults({"goaway_every": 1000}, push=ONE_TRY)
    check(stats["goaways"] > 0, "no GOAWAY was sent")
    check(stats["duplicates"] == 0, f"{stats['duplicates']} duplicates after GOAWAY")


def refused_streams():
    view, stats = run_with_faults({"refuse_every": 10}, push=ONE_TRY)
    check(stats["refused_streams"] >= COUNT // 10, f"only {stats['refused_streams']} streams were refused")
    check(stats["duplicates"] == 0, f"{stats['duplicates']} duplicates after REFUSED_STREAM")


def settings_lowered_to_1():
    with stage(QUICK) as (node, simulator):
        register(node, tokens(COUNT), "all")
        simulator.faults({"apns": {"latency_ms": [5, 5]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 100, "sending has begun")
        simulator.faults({"apns": {"max_streams": 1, "latency_ms": [0, 0]}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == COUNT, f"not all were accepted: {view['counts']}")
        check(simulator.stats()["duplicates"] == 0, "duplicates")


def resets():
    view, stats = run_with_faults({"mix": {"reset": 0.004}})
    check(stats["unanswered"] > 0, "no connection was reset")
    view, stats = run_with_faults({"mix": {"reset": 0.004}}, expect_all_accepted=False, push=ONE_TRY)
    check(view["counts"]["unknown"] > 0, "what was under way on a connection that broke is not unknown")
    check(view["counts"]["unknown"] + view["counts"]["accepted"] == COUNT, f"{view['counts']}")
    check(stats["duplicates"] == 0, f"{stats['duplicates']} unknowns were sent again")


def never_answered():
    """What was never answered is sent again with the same apns-id: duplicates of unknowns only."""
    view, stats = run_with_faults({"mix": {"no-answer": 0.01}}, more=HASTY)
    check(stats["duplicates"] > 0, "nothing was unanswered")
    check(stats["unique_apns_ids"] == COUNT, f"{stats['unique_apns_ids']} ids for {COUNT} targets")


def server_errors():
    view, stats = run_with_faults({"mix": {"500 InternalServerError": 0.1}})
    check(stats["rejected"] > COUNT / 20, "no errors were answered")
    check(stats["duplicates"] == 0, "duplicates")


def too_many_requests():
    view, stats = run_with_faults({"mix": {"429 TooManyRequests": 0.1}})
    check(stats["rejected"] > COUNT / 20, "no errors were answered")
    check(stats["duplicates"] == 0, f"{stats['duplicates']} duplicates after 429")


def stalls():
    with stage(merged(QUICK, HASTY)) as (node, simulator):
        register(node, tokens(COUNT), "all")
        simulator.faults({"apns": {"stall": True}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["requests"] > 0, "requests arrive")
        time.sleep(1)  # shorter than the request timeout
        before = simulator.stats()["requests"]
        wait_until(lambda: simulator.stats()["requests"] > before, "what is not answered is given up")
        check(finished(view_of(node, job)) < COUNT, "finished without an answer")
        simulator.faults({"apns": {"stall": False}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == COUNT, f"not all were accepted: {view['counts']}")


def mailboxes_of_1():
    with stage(settings(mailbox=1, ingest_mailbox=1, senders=4, masters=2, window=50, flush_interval="0ms")) as (node, simulator):
        register(node, tokens(COUNT), "all", users=True)
        job = publish(node, "all")
        accepted, refused, others = [], [], []

        def send(first):
            for number in range(first, first + 50):
                status, head, body = node.call("POST", f"/v1/users/user-{number}/send", {"title": "x"})
                if status == 202:
                    accepted.append(body["job_id"])
                else:
                    (refused if status == 503 and head["Retry-After"] else others).append((status, body))

        threads = [threading.Thread(target=send, args=(n * 50,)) for n in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        wait_for_job(node, job)
        check(len(accepted) + len(refused) == 400 and accepted, f"{len(accepted)} accepted, not answered well: {others}")
        for each in accepted:
            check(wait_for_job(node, each)["counts"]["accepted"] == 1, "an accepted job was not sent")
        print(f"{len(accepted)} accepted, {len(refused)} refused")


def store_locked_for_5_s():
    """Another process holds SQLite's write lock while outcomes are to be written."""
    with stage(merged(settings(), {"store": {"busy-timeout": "100ms"}})) as (node, simulator):
        register(node, tokens(COUNT), "all")
        simulator.faults({"apns": {"latency_ms": [20, 20]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 100, "sending has begun")
        other = sqlite3.connect(node.directory / "signalbox.db", isolation_level=None, timeout=10)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(5)
        status, _, body = node.call("POST", "/v1/topics/all/publish", {"title": "x"})
        check(status == 503, f"a 202 without a commit: {status} {body}")
        other.execute("ROLLBACK")
        other.close()
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == COUNT, f"not all were accepted: {view['counts']}")
        check(simulator.stats()["duplicates"] == 0, "duplicates")


def full_disk():
    """Below the reserve, jobs are refused and outcomes are still written."""
    with stage(settings()) as (node, simulator):
        register(node, tokens(COUNT), "all")
        simulator.faults({"apns": {"stall": True}})
        job = publish(node, "all")
        node.kill()
        free = os.statvfs(node.directory).f_bavail * os.statvfs(node.directory).f_frsize
        os.environ["SIGNALBOX_STORE_MIN_FREE_SPACE"] = str(free * 2)
        node.start()
        status, head, body = node.call("POST", "/v1/topics/all/publish", {"title": "x"})
        check(status == 503 and head["Retry-After"], f"accepted without room: {status} {body}")
        simulator.faults({"apns": {"stall": False}})
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == COUNT, f"not all were accepted: {view['counts']}")


def storm_of_bad_tokens():
    """A wrong environment must not wipe the token base."""
    with stage(settings()) as (node, simulator):
        register(node, tokens(COUNT), "all")
        simulator.faults({"apns": {"mix": {"400 BadDeviceToken": 1.0}}})
        view = wait_for_job(node, publish(node, "all"))
        check(view["counts"]["rejected"] == COUNT, f"{view['counts']}")
        lost = COUNT - live_tokens(node, "all")
        check(lost <= COUNT // 20, f"{lost} tokens were invalidated in a storm")
        print(f"{lost} of {COUNT} tokens were invalidated before the breaker tripped")


def a_third_unregistered():
    """A first import is full of dead tokens: exactly those are invalidated."""
    with stage(settings()) as (node, simulator):
        register(node, tokens(COUNT), "all")
        simulator.faults({"apns": {"mix": {"410 Unregistered": 0.3}}})
        view = wait_for_job(node, publish(node, "all"))
        dead = view["counts"]["rejected"]
        check(COUNT * 0.25 < dead < COUNT * 0.35, f"{dead} rejected")
        check(live_tokens(node, "all") == COUNT - dead, f"{live_tokens(node, 'all')} left, {dead} rejected")
        simulator.reset()
        view = wait_for_job(node, publish(node, "all"))
        check(view["counts"]["total"] == view["counts"]["accepted"] == COUNT - dead, f"{view['counts']}")


def gone_between_planning_and_sending():
    """Rebound, unsubscribed, deleted: gets nothing and is skipped."""
    values = tokens(COUNT)
    with stage(settings(window=10)) as (node, simulator):
        register(node, values, "all", users=True)
        simulator.faults({"apns": {"stall": True}, "record_devices": True})
        job = publish(node, "all")
        wait_until(lambda: view_of(node, job)["counts"]["total"] == COUNT, "planning is done")
        wait_until(lambda: simulator.stats()["requests"] > 0, "sending has begun")
        rebound, unsubscribed, deleted = COUNT - 1, COUNT - 2, COUNT - 3
        node.call("POST", "/v1/users/tokens", {"id": "somebody-else", "platform": "apns", "token": values[rebound]})
        node.call("DELETE", f"/v1/users/user-{unsubscribed}/subscriptions/all")
        node.call("DELETE", f"/v1/users/user-{deleted}/tokens/{values[deleted]}")
        simulator.faults({"apns": {"stall": False}})
        view = wait_for_job(node, job)
        check(view["counts"]["skipped"] == 3, f"{view['counts']}")
        check(simulator.stats()["unique_targets"] == COUNT - 3, "a device that had left was sent to")


def stop_in_a_fan_out():
    """SIGTERM, and once more: an orderly stop; the next start finishes the job, and waits for no lease."""
    with stage(settings(lease="10min")) as (node, simulator):
        register(node, tokens(20_000), "all")
        simulator.faults({"apns": {"latency_ms": [200, 400]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 500, "sending has begun")
        node.signal(signal.SIGTERM)
        time.sleep(0.05)
        node.signal(signal.SIGTERM)
        status = node.stop()
        check(status == 0, f"the node ended with status {status}")
        before = simulator.stats()["unique_targets"]
        check(before < 20_000, "the job was over before the stop")
        simulator.faults({"apns": {"latency_ms": [0, 0]}})
        node.start()
        view = wait_for_job(node, job)
        stats = simulator.stats()
        check(view["counts"]["accepted"] == stats["unique_targets"] == 20_000, f"{view['counts']} {stats}")
        check(stats["duplicates"] == 0, f"{stats['duplicates']} duplicates after an orderly stop")


def cancelled_in_a_fan_out():
    """Nothing is claimed any more, and what is claimed already stays unsent but for the window."""
    with stage(settings(window=100)) as (node, simulator):
        register(node, tokens(20_000), "all")
        simulator.faults({"apns": {"latency_ms": [400, 600]}})  # 200 a second
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 100, "sending has begun")
        status, _, body = node.call("DELETE", f"/v1/notifications/{job}")
        check(status in (200, 202, 204), f"cancel refused: {status} {body}")
        sent = simulator.stats()["requests"]
        view = wait_for_job(node, job)
        counts = view["counts"]
        check(view["status"] == "CANCELLED" and counts["skipped"] > 0, f"{view}")
        check(counts["accepted"] == simulator.stats()["accepted"], f"{counts}")
        late = simulator.stats()["requests"] - sent
        check(late <= 1000, f"{late} requests were sent after the job was cancelled")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
