"""Large stores and what is asked of them, each with a node of its own: store_days.py SCENARIO."""

import concurrent.futures
import contextlib
import os
import pathlib
import signal
import sqlite3
import stat
import sys
import threading
import time

from scenario import QUICK, check, run_chosen, stage, tokens, wait_for_job, wait_until

from launcher import LaunchError, Node, Simulator, fresh_directory, merged

MIB = 1 << 20
# docs/operations.md, "Bounds".
LOG_BOUND = 256 * MIB
JOB = bytes.fromhex("018f0000000070008000000000000001")
JOB_ID = "018f0000-0000-7000-8000-000000000001"


@contextlib.contextmanager
def stage_of(fill, settings=None):
    """A stage whose store was filled by `fill(database)` before its node started."""
    with stage(merged(QUICK, settings or {})) as (node, simulator):
        status = node.stop()
        check(status == 0, f"the node ended with status {status}")
        database = sqlite3.connect(store_of(node), isolation_level=None)
        database.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -200000; BEGIN")
        fill(database)
        database.execute("COMMIT")
        database.close()
        node.start()
        yield node, simulator


def store_of(node):
    return node.directory / "signalbox.db"


def add_job(database, now):
    """A finished job of the topic."""
    database.execute("INSERT OR IGNORE INTO lanes(id, name) VALUES(1, 'push')")
    database.execute("INSERT INTO topics(id, app, name, title, created_at) VALUES(1000, 1, 'all', '', ?)", (now,))
    database.execute(
        "INSERT INTO jobs(n, id, app, lane, status, plan_done, planned, next_seq, total, completed_at, rejected, "
        "scope_kind, scope_id, scope_name, receipts, on_unknown, created_at, payload) "
        "VALUES(1, ?, 1, (SELECT id FROM lanes WHERE name = 'push'), 5, 1, 0, 1, 0, ?, 0, 1, 1000, 'all', 1, 1, ?, "
        "'{\"title\":\"Test\",\"body\":\"x\"}')", (JOB, now, now))


def add_letters(database, ids, now, reason="max_attempts"):
    """Dead letters of the job for a query's ids."""
    database.execute(
        "INSERT INTO dead_letters(job, token, app, lane, pool, attempts, reason, last_error, dead_lettered_at) "
        "SELECT 1, i, 1, (SELECT id FROM lanes WHERE name = 'push'), 17, 20, ?, 'ServiceUnavailable', ? "
        f"FROM ({ids})", (reason, now))


def add_receipts(database, ids, now):
    """Receipts of the job for a query's ids, of two reasons."""
    database.execute("INSERT INTO receipts(job, token, status, reason, at) "
                     f"SELECT 1, i, 2, iif(i % 2, 'Unregistered', 'BadDeviceToken'), ? FROM ({ids})", (now,))
    if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'receipt_counts'").fetchone():
        database.execute("INSERT INTO receipt_counts(job, status, reason, count) "
                         "SELECT job, status, ifnull(reason, ''), count(*) FROM receipts WHERE true GROUP BY 1, 2, 3 "
                         "ON CONFLICT(job, status, reason) DO UPDATE SET count = excluded.count")


def numbers(count):
    return f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n"


def replay_of_a_few(members):
    """Letters of 50 devices of a topic of so many; leases of 1 s."""
    now = int(time.time() * 1000)

    def fill(database):
        add_job(database, now)
        database.execute(
            "INSERT INTO tokens(id, app, platform, environment, token, registered_at) "
            f"SELECT i, 1, 1, 1, printf('%064x', i), {now} FROM ({numbers(members)})")
        database.execute("INSERT INTO topic_tokens(topic, pool, token) SELECT 1000, 17, id FROM tokens")
        step = members // 50
        add_letters(database, f"SELECT id AS i FROM tokens WHERE id % {step} = 1 LIMIT 50", now)

    with stage_of(fill, {"lane": {"push": {"lease": "1s"}}, "apns": {"request-timeout": "500ms"},
                         "fcm": {"request-timeout": "500ms"}}) as (node, simulator):
        status, _, answer = node.call("POST", "/v1/dead-letters:replay", {"job": JOB_ID})
        check(status in (200, 202) and answer["targets"] == 50, f"the replay answered {status} {answer}")
        counts = wait_for_job(node, answer["jobs"][0]["job_id"], 300)["counts"]
        check(counts["accepted"] == 50, f"not all were sent: {counts}")
        check(simulator.stats()["unique_targets"] == 50, "the simulator saw others")


def a_replay_of_a_few_letters_of_a_large_topic_loses_no_lease():
    replay_of_a_few(300_000)


class Readers:
    """Clients that repeat a long read until they are told to stop."""

    def __init__(self, node, count):
        self.node = node
        self.ended = threading.Event()
        self.answers = []
        self.threads = [threading.Thread(target=self.repeat) for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def repeat(self):
        while not self.ended.is_set():
            try:
                status, head, body = self.node.call("POST", "/v1/dead-letters:replay",
                                                    {"reason": "nowhere", "dry_run": True}, timeout=60)
            except OSError:  # the node is stopping
                return
            self.answers.append((status, head.get("Retry-After"), body))

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def many_letters(database, letters=2_000_000, receipts=0):
    now = int(time.time() * 1000)
    add_job(database, now)
    add_letters(database, numbers(letters), now)
    if receipts:
        add_receipts(database, numbers(receipts), now)


def long_reads(letters, receipts):
    """A hundred clients that each read all letters, and six that ask why so many targets were refused."""
    def fill(database):
        many_letters(database, letters, receipts)

    with stage_of(fill, {"stop": {"deadline": "10s"}}) as (node, _):
        readers = Readers(node, 100)
        try:
            wait_until(lambda: len(readers.answers) >= 2, "the first long reads end")
            for _ in range(20):
                status, _, body = node.call("GET", "/readyz")
                check(status == 200, f"/readyz answered {status} {body}")
                time.sleep(0.2)
            with concurrent.futures.ThreadPoolExecutor(6) as askers:
                asked = askers.map(lambda _: node.call("GET", f"/v1/notifications/{JOB_ID}?reasons=true", timeout=60),
                                   range(24))
            for status, _, body in asked:
                check(status in (200, 503), f"the reasons: {status} {body}")
                check(status == 503 or sum(one["count"] for one in body["reasons"]) == receipts, f"{body}")
            late = wait_until(lambda: next((each for each in readers.answers if each[0] == 503), None),
                              "a read is refused for its length")
            check("took longer than 5 s" in str(late[2]) and late[1], f"refused without a clear word: {late}")
            node.process.send_signal(signal.SIGTERM)
            status = node.process.wait(30)
            check(status == 0, f"the stop ended with status {status}")
        finally:
            readers.stop()
        node.start()
        status, _, body = node.call("GET", f"/v1/notifications/{JOB_ID}?reasons=true")
        check(status == 200 and len(body["reasons"]) == 2, f"the reasons, without others: {status} {body}")


def long_reads_starve_neither_health_nor_the_stop():
    long_reads(2_000_000, 200_000)


def the_log_stays_bounded_under_an_import_beside_long_reads():
    with stage_of(many_letters) as (node, _):
        log = pathlib.Path(f"{store_of(node)}-wal")
        readers = Readers(node, 2)
        written, most, number = 0, 0, 0
        before = 0
        try:
            wait_until(lambda: len(readers.answers) >= 1, "the first long read ends")
            while written < 1.5 * LOG_BOUND and number < 200:
                batch = [{"platform": "apns", "token": value, "topics": [f"t{number % 7}"]}
                         for value in tokens(5_000, seed=number + 1)]
                status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=120)
                check(status == 200, f"the import answered {status} {body}")
                size = log.stat().st_size
                written += max(size - before, 0) if size >= before else size
                most, before, number = max(most, size), size, number + 1
                check(size < LOG_BOUND, f"the log has {size / MIB:.0f} MiB after {written / MIB:.0f}")
        finally:
            readers.stop()
        print(f"written {written / MIB:.0f} MiB, the log had {most / MIB:.0f} at most")
        refused = [each for each in readers.answers if each[0] not in (200, 503)]
        check(not refused, f"reads were answered {refused[:1]}")
        _, _, metrics = node.call("GET", "/metrics")
        for name in ("signalbox_store_log_bytes", "signalbox_store_bytes"):
            check(f"\n{name} " in metrics, f"no metric {name}")


def a_store_that_is_another_programs_is_left_as_it_was():
    directory = fresh_directory("crash")
    simulator = Simulator(directory)
    node = Node(directory, simulator, QUICK)
    try:
        database = sqlite3.connect(directory / "signalbox.db")
        database.executescript("CREATE TABLE notes(a); INSERT INTO notes VALUES('mine')")
        database.close()
        before = (directory / "signalbox.db").read_bytes()
        with contextlib.suppress(LaunchError):
            node.start(20)
        check(node.process.poll() == 1, f"it ended with status {node.process.returncode}")
        check("another program" in (directory / "node.log").read_text(), "the log does not say why")
        check((directory / "signalbox.db").read_bytes() == before, "the database was changed")
        beside = [path.name for path in directory.glob("signalbox.db*")]
        check(beside == ["signalbox.db"], f"there is more beside it: {beside}")
    finally:
        if node.process and node.process.poll() is None:
            node.kill()
        simulator.stop()


def the_files_of_the_store_are_its_owners_alone():
    with stage(QUICK) as (node, _):
        for path in store_of(node).parent.glob("signalbox.db*"):
            mode = stat.S_IMODE(os.stat(path).st_mode)
            check(mode == 0o600, f"{path.name} has mode {mode:o}")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
