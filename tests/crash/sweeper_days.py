"""Retries, breakers, pauses, dead letters and schedules, each end to end: sweeper_days.py SCENARIO."""

import contextlib
import http.client
import json
import signal
import sqlite3
import sys
import threading
import time
from datetime import datetime, timedelta, timezone

from scenario import (QUICK, check, finished, kept, live_tokens, publish, register, run_chosen, stage, tokens, view_of,
                      wait_for_job, wait_until)

from launcher import Simulator, fresh_directory, merged, port_of


def settings(**push):
    return merged(QUICK, {"lane": {"push": {key.replace("_", "-"): value for key, value in push.items()}}})


def ask(node, method, path, body=None, expected=(200,), **more):
    status, _, answer = node.call(method, path, body, **more)
    check(status in expected, f"{method} {path} answered {status}: {answer}")
    return answer


def all_of(node, path):
    """Every item of a list, page by page."""
    joint = "&" if "?" in path else "?"
    items, cursor = [], ""
    while True:
        page = ask(node, "GET", f"{path}{joint}limit=200{cursor}")
        items += page["items"]
        if not page["has_more"]:
            return items
        cursor = f"&cursor={page['next_cursor']}"


def breakers(node):
    return ask(node, "GET", "/v1/breakers")["items"]


def has_breaker(node, kind):
    return any(each["kind"] == kind for each in breakers(node))


def metric(node, name):
    """The sum of a metric's samples."""
    text = ask(node, "GET", "/metrics")
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
               if line.split("{")[0].split(" ")[0] == name)


def wait_until_still(simulator, seconds):
    """Waits until nothing new is accepted for so long; returns what was."""
    before = simulator.stats()["accepted"]
    time.sleep(seconds)
    after = simulator.stats()["accepted"]
    check(after == before, f"{after - before} pushes in {seconds} s of a pause")
    return after


def in_database(node, query):
    database = sqlite3.connect(f"file:{node.directory / 'signalbox.db'}?mode=ro", uri=True, timeout=10)
    try:
        return database.execute(query).fetchone()[0]
    finally:
        database.close()


def rfc3339(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def every_fault_at_once():
    """Errors, back-pressure, silence and dead tokens: the account closes, each dead token is invalidated once."""
    count = 200_000
    mix = {"500 InternalServerError": 0.05, "429 TooManyRequests": 0.05, "no-answer": 0.01, "410 Unregistered": 0.02}
    with stage(merged(QUICK, {"apns": {"request-timeout": "6s"}})) as (node, simulator):
        register(node, tokens(count), "all")
        simulator.faults({"apns": {"mix": mix, "retry_after_s": 1}})
        view = wait_for_job(node, publish(node, "all"), 240)
        counts, stats = view["counts"], simulator.stats()
        dead = stats["by_reason"]["Unregistered"]
        check(counts["total"] == count, f"{counts}")
        check(counts["rejected"] == dead and counts["accepted"] == count - dead, f"{dead} dead tokens: {counts}")
        check(count * 0.015 < dead < count * 0.025, f"{dead} tokens were answered Unregistered")
        invalidated = in_database(node, "SELECT COUNT(*) FROM tokens WHERE invalid_reason = 'Unregistered'")
        check(invalidated == dead, f"{invalidated} tokens were invalidated, {dead} are dead")
        check(live_tokens(node, "all") == count - dead, f"{live_tokens(node, 'all')} are left")
        check(stats["unique_targets"] == count, f"the simulator saw {stats['unique_targets']} of {count}")
        unanswered = 0.01 * stats["requests"]
        check(0 < stats["duplicates"] < 1.15 * unanswered,
              f"{stats['duplicates']} duplicates, about {unanswered:.0f} were unanswered")
        check(metric(node, "signalbox_retries_scheduled_total") >= 0.1 * count, "few retries were counted")
        check(not all_of(node, "/v1/dead-letters"), "there are dead letters")


def paused_in_a_fan_out():
    """An emergency stop holds within a second and over a kill -9; resuming finishes the job."""
    count = 20_000
    # One window in flight, and slow enough that the rest of what is claimed would go on for long.
    with stage(merged(settings(window=100), {"apns": {"connections": 1}})) as (node, simulator):
        register(node, tokens(count), "all")
        simulator.faults({"apns": {"latency_ms": [1000, 1000]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 0, "sending has begun")
        rule = {"lane": "push", "reason": "wrong text"}
        pause = ask(node, "POST", "/v1/pauses", rule, expected=(201,))
        check(ask(node, "POST", "/v1/pauses", rule)["id"] == pause["id"], "the same rule made another pause")
        time.sleep(1 + 5)  # the latency, and some more for a machine that stands still
        accepted = wait_until_still(simulator, 2)
        check(accepted < count, "the job was over before the pause")
        check(view_of(node, job)["paused"], "the job does not say that it is paused")
        wait_until(lambda: metric(node, "signalbox_pauses") == 1, "the metrics show the pause", 20)
        later = publish(node, "all")
        node.kill()
        node.start()
        wait_until_still(simulator, 2)
        check(simulator.stats()["accepted"] == accepted, "pushes left after the restart")
        check([each["id"] for each in all_of(node, "/v1/pauses")] == [pause["id"]], "the pause is gone")
        simulator.faults({"apns": {"latency_ms": [0, 0]}})
        ask(node, "DELETE", f"/v1/pauses/{pause['id']}", expected=(204,))
        for each in (job, later):
            view = wait_for_job(node, each)
            check(view["counts"]["accepted"] == count and not view["paused"], f"{view}")


def paused_topic_lets_others_through():
    with stage(settings()) as (node, simulator):
        register(node, tokens(100), "held")
        register(node, tokens(100, seed=2), "free")
        pause = ask(node, "POST", "/v1/pauses", {"topic": "held"}, expected=(201,))
        held, free = publish(node, "held"), publish(node, "free")
        check(wait_for_job(node, free)["counts"]["accepted"] == 100, "the other topic was held back")
        check(finished(view_of(node, held)) == 0 and simulator.stats()["accepted"] == 100, "the pause leaks")
        ask(node, "DELETE", f"/v1/pauses/{pause['id']}", expected=(204,))
        check(wait_for_job(node, held)["counts"]["accepted"] == 100, "the paused topic was not sent")


def cancelled_in_bulk():
    """500 scheduled jobs are cancelled by one rule, and no other."""
    later = rfc3339(datetime.now(timezone.utc) + timedelta(hours=1))
    with stage(settings()) as (node, simulator):
        register(node, tokens(3), "spared")
        register(node, tokens(3), "all")
        spared = publish(node, "spared", scheduled_at=later)
        jobs = {publish(node, "all", scheduled_at=later) for _ in range(500)}
        newer = datetime.now(timezone.utc) + timedelta(seconds=1)
        time.sleep(2)
        young = publish(node, "all", scheduled_at=later)
        rule = {"topic": "all", "created_before": newer.strftime("%Y-%m-%dT%H:%M:%S.%fZ"), "reason": "campaign ended"}
        cancelled, more = set(), True
        while more:
            answer = ask(node, "POST", "/v1/notifications:cancel", rule)
            cancelled.update(answer["cancelled"])
            more = answer["has_more"]
        check(cancelled == jobs, f"{len(cancelled)} of 500 jobs were cancelled")
        for each in jobs:
            check(wait_for_job(node, each)["status"] == "CANCELLED", "a job was not cancelled")
        for each in (spared, young):
            check(view_of(node, each)["status"] == "SCHEDULED", "a job that the rule does not name was cancelled")
        check(simulator.stats()["requests"] == 0, "something was sent")


def dead_letters():
    """Given up after two tries, listed, and replayed once however often that is asked for."""
    count = 1_500
    with stage(settings(max_attempts=2, backoff_max="50ms")) as (node, simulator):
        values = tokens(count)
        register(node, values, "all")
        simulator.faults({"apns": {"mix": {"429 TooManyRequests": 1.0}}})
        job = publish(node, "all")
        view = wait_for_job(node, job)
        check(view["counts"]["rejected"] == count, f"{view['counts']}")
        letters = all_of(node, f"/v1/dead-letters?job={job}&reason=max_attempts")
        check({each["token"] for each in letters} == set(values) and len(letters) == count,
              f"{len(letters)} dead letters of {count}")
        check(all(each["attempts"] == 2 and each["last_error"] == "TooManyRequests" for each in letters),
              f"{letters[0]}")
        check(simulator.stats()["requests"] == 2 * count, f"{simulator.stats()['requests']} tries")
        wait_until(lambda: metric(node, "signalbox_dead_letters") == count, "the metrics show them", 20)
        check(not all_of(node, "/v1/dead-letters?reason=lease_lost"), "the filter lets others through")

        simulator.reset()
        dry = ask(node, "POST", "/v1/dead-letters:replay", {"job": job, "dry_run": True})
        check(0 < dry["targets"] <= count and dry["status"] == "dry_run", f"{dry}")
        time.sleep(1)
        check(simulator.stats()["requests"] == 0, "a dry run sent something")

        replays = []

        def replay():
            for _ in range(20):
                answer = ask(node, "POST", "/v1/dead-letters:replay", {"job": job}, expected=(200, 202))
                replays.extend(answer["jobs"])
                if not answer["has_more"]:
                    return

        threads = [threading.Thread(target=replay) for _ in range(2)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        replay()
        check(sum(each["targets"] for each in replays) == count, f"{replays}")
        for each in replays:
            check(each["replay_of"] == job, f"{each}")
            view = wait_for_job(node, each["job_id"])
            check(view["counts"]["accepted"] == each["targets"] and view["replay_of"] == job, f"{view}")
        stats = simulator.stats()
        check(stats["unique_targets"] == stats["accepted"] == stats["requests"] == count,
              f"not each device exactly once: {stats}")
        made = {each["job_id"] for each in replays}
        check(all(each["replayed_by"] in made for each in all_of(node, "/v1/dead-letters")), "not marked as replayed")
        check(ask(node, "POST", "/v1/dead-letters:replay", {})["status"] == "nothing", "replayed again")

        ask(node, "DELETE", "/v1/dead-letters", expected=(400,))
        while ask(node, "DELETE", f"/v1/dead-letters?job={job}")["has_more"]:
            pass
        check(not all_of(node, "/v1/dead-letters"), "not deleted")


def wrong_provider_key():
    """A refused key holds work back and costs no target anything; the right key lets it all out."""
    count = 3_000
    with stage(settings(max_attempts=3)) as (node, simulator):
        other_directory = fresh_directory("other-key")
        other = Simulator(other_directory, bin_dir=node.bin_dir)
        other.stop()
        key_file = node.directory / "tls" / "apns-key.p8"
        right = key_file.read_text()
        key_file.write_text((other_directory / "tls" / "apns-key.p8").read_text())
        node.stop()
        node.start()
        register(node, tokens(count), "all")
        job = publish(node, "all")
        wait_until(lambda: has_breaker(node, "configuration"), "the breaker opens", 30)
        shown = next(each for each in breakers(node) if each["kind"] == "configuration")
        check(shown["reason"] == "InvalidProviderToken" and shown["lane"] == "push" and shown["provider"] == "apns",
              f"{shown}")
        check(metric(node, "signalbox_breaker_open") == 1, "the metrics do not show the breaker")
        time.sleep(2)
        requests = simulator.stats()["requests"]
        time.sleep(2)
        check(simulator.stats()["requests"] == requests, "a refused key is still tried")
        check(requests < count, f"{requests} requests with a key that is refused")
        check(finished(view_of(node, job)) == 0, f"{view_of(node, job)['counts']}")
        check(not all_of(node, "/v1/dead-letters"), "there are dead letters")
        check(live_tokens(node, "all") == count, "tokens were invalidated")
        key_file.write_text(right)
        node.signal(signal.SIGHUP)
        view = wait_for_job(node, job)
        check(view["counts"]["accepted"] == count, f"{view['counts']}")
        check(not breakers(node), f"{breakers(node)}")


def provider_outage():
    """20 s without a provider: nothing is given up although a target has one try, and all is delivered afterwards."""
    count = 20_000
    with stage(settings(max_attempts=1, backoff_max="100ms")) as (node, simulator), contextlib.ExitStack() as outage:
        register(node, tokens(count), "all")
        simulator.faults({"apns": {"latency_ms": [200, 400]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 500, "sending has begun")
        before = simulator.stats()
        simulator.stop()
        outage.enter_context(kept(port_of(simulator.info["apns"])))
        check(before["unique_targets"] < count, "the job was over before the outage")
        wait_until(lambda: has_breaker(node, "outage"), "the breaker opens", 60)
        single = publish(node, "all")
        time.sleep(20)
        check(has_breaker(node, "outage"), "the breaker closed without a provider")
        check(not all_of(node, "/v1/dead-letters"), "there are dead letters")
        for each in (job, single):
            counts = view_of(node, each)["counts"]
            check(counts["rejected"] == counts["expired"] == 0, f"{counts}")
        again = Simulator(node.directory, ("--apns-port", str(port_of(simulator.info["apns"]))), bin_dir=node.bin_dir)
        try:
            for each in (job, single):
                view = wait_for_job(node, each)
                check(view["counts"]["accepted"] == count, f"{view['counts']}")
            wait_until(lambda: not breakers(node), "the breaker closes", 60)
        finally:
            again.stop()


def ten_thousand_jobs_for_one_second():
    count, clients = 10_000, 4
    with stage(settings()) as (node, simulator):
        register(node, tokens(count), users=True)
        due = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=60)
        body = json.dumps({"title": "now", "scheduled_at": rfc3339(due)})
        failures = []

        def post(first):
            connection = http.client.HTTPConnection("127.0.0.1", port_of(node.url), timeout=30)
            for number in range(first, count, clients):
                connection.request("POST", f"/v1/users/user-{number}/send", body, {"Content-Type": "application/json"})
                answer = connection.getresponse()
                text = answer.read()
                if answer.status != 202 or json.loads(text)["status"] != "scheduled":
                    failures.append(text)
            connection.close()

        threads = [threading.Thread(target=post, args=(n,)) for n in range(clients)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        check(not failures, f"{len(failures)} refused: {failures[:1]}")
        check(datetime.now(timezone.utc) < due, "the jobs were posted too slowly to be scheduled")
        check(simulator.stats()["requests"] == 0, "something was sent before its time")
        open_jobs = "SELECT COUNT(*) FROM jobs WHERE completed_at IS NULL"
        wait_until(lambda: in_database(node, open_jobs) == 0, "all jobs end", 120)
        late = (datetime.now(timezone.utc) - due).total_seconds()
        check(in_database(node, "SELECT SUM(accepted) FROM jobs") == count, "not every job was accepted")
        stats = simulator.stats()
        check(stats["unique_targets"] == stats["accepted"] == stats["requests"] == count, f"{stats}")
        print(f"{count} jobs of one second ended {late:.1f} s after it")


def full_disk_in_a_fan_out():
    """Below the reserve jobs are refused, with the reason, and the outcomes of what runs are recorded."""
    count = 20_000
    with stage(settings()) as (node, simulator):
        register(node, tokens(count), "all")
        simulator.faults({"apns": {"latency_ms": [200, 400]}})
        job = publish(node, "all")
        wait_until(lambda: simulator.stats()["accepted"] > 500, "sending has begun")
        node.kill()
        check(finished_in_store(node) < count, "the job was over before the disk was full")
        config = node.config.read_text()
        node.config.write_text(config.replace("store {", "store {\n  min-free-space = 1099511627776", 1))
        simulator.faults({"apns": {"latency_ms": [0, 0]}})
        node.start()
        status, head, problem = node.call("POST", "/v1/topics/all/publish", {"title": "x"})
        check(status == 503 and head["Retry-After"], f"accepted without room: {status} {problem}")
        check("disk" in problem["detail"] or "space" in problem["detail"], f"the problem is not named: {problem}")
        check(wait_for_job(node, job)["counts"]["accepted"] == count, f"{view_of(node, job)['counts']}")
        node.stop()
        node.config.write_text(config)
        node.start()
        check(wait_for_job(node, publish(node, "all"))["counts"]["accepted"] == count, "no jobs after room was made")


def jobs_posted_while_the_node_starts():
    """A node that answers knows its lanes: what it cannot take yet is not called wrong."""
    with stage(settings()) as (node, simulator):
        port = port_of(node.url)
        node.config.write_text(node.config.read_text().replace("port = 0", f"port = {port}", 1))
        answers, ended = set(), threading.Event()

        def post():
            while not ended.is_set():
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                try:
                    while not ended.is_set():
                        connection.request("POST", "/v1/topics/all/publish", '{"title": "x", "dry_run": true}')
                        answer = connection.getresponse()
                        answers.add((answer.status, answer.read()))
                except (OSError, http.client.HTTPException):
                    connection.close()

        threads = [threading.Thread(target=post) for _ in range(2)]
        for each in threads:
            each.start()
        node.kill()
        with kept(port):
            for _ in range(15):
                node.start()
                node.kill()
            node.start()
        ended.set()
        for each in threads:
            each.join()
        check({status for status, _ in answers} <= {200, 503} and len(answers) > 0, f"{answers}")


def finished_in_store(node):
    return in_database(node, "SELECT SUM(accepted + rejected + unknown + expired + skipped) FROM jobs")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
