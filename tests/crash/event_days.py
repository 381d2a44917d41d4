"""Live events as clients see them: event_days.py SCENARIO."""

import contextlib
import json
import os
import signal
import socket
import sys
import threading

from scenario import (check, publish, register, run_chosen, stage, tokens, view_of, wait_for_job, wait_until)

from launcher import port_of


class Events:
    """A client of one stream, which reads on a thread of its own."""

    def __init__(self, node, path, last=None, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(120)
        self.socket.connect(("127.0.0.1", port_of(node.url)))
        more = f"Last-Event-ID: {last}\r\n" if last else ""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{more}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.head = {}
        while (line := self.file.readline().decode().strip()):
            name, value = line.split(": ", 1)
            self.head[name.lower()] = value
        self.all = []  # (name, id, data)
        self.ended = False
        self.thread = None

    def start(self):
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        return self

    def lines(self):
        rest = b""
        while True:
            size = self.file.readline()
            if not size or int(size, 16) == 0:
                return
            rest += self.file.read(int(size, 16))
            self.file.readline()
            *whole, rest = rest.split(b"\n")
            yield from whole

    def read(self):
        name = number = data = None
        with contextlib.suppress(OSError):
            for line in self.lines():
                field, _, value = line.decode().partition(": ")
                if field == "event":
                    name = value
                elif field == "id":
                    number = value
                elif field == "data":
                    data = json.loads(value)
                elif not line and data is not None:
                    self.all.append((name, number, data))
                    name = data = None
        self.ended = True

    def of(self, name):
        return [data for each, _, data in list(self.all) if each == name]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@contextlib.contextmanager
def watching(node, path, **more):
    events = Events(node, path, **more)
    try:
        check(events.status == 200, f"{path} answers {events.status}")
        yield events.start()
    finally:
        events.close()


def a_job_is_seen_to_its_end():
    """On its own stream and on the node's, in rising numbers; both agree with the account."""
    values = tokens(5_000)
    with stage() as (node, simulator):
        register(node, values, topic="news")
        simulator.faults({"apns": {"latency_ms": [100, 200]}})
        with watching(node, "/v1/events") as all_events:
            job = publish(node, "news")
            with watching(node, f"/v1/notifications/{job}/events") as own:
                view = wait_for_job(node, job)
                wait_until(lambda: own.ended, "the job's stream ends", 30)
            states = own.of("job")
            check(states[-1] == view, f"the last event differs from the job: {states[-1]} {view}")
            done = [sum(each["counts"][name] for name in ("accepted", "rejected", "unknown", "expired", "skipped"))
                    for each in states]
            check(done == sorted(done) and len(done) > 2, f"progress: {done}")
            last = wait_until(lambda: [each for each in all_events.of("job")
                                       if each["job_id"] == job and each["completed_at"]], "the node's stream tells", 30)
            check(last == [view], f"{last}")
            check([number for _, number, _ in all_events.all if number]
                  == sorted((number for _, number, _ in all_events.all if number),
                            key=lambda number: int(number.rsplit("-", 1)[1])), "ids do not rise")
            wait_until(lambda: all_events.of("lane"), "the lanes are told", 30)
        again = Events(node, f"/v1/notifications/{job}/events", last=own.all[-1][1])
        check(again.status == 204, f"who has had the end gets {again.status}")
        again.close()


def single_pushes_are_told_to_who_asks():
    """A job of one target is no event of the node's, but has a stream."""
    with stage() as (node, simulator):
        register(node, tokens(1), users=True)
        with watching(node, "/v1/events") as all_events:
            status, _, answer = node.call("POST", "/v1/users/user-0/send", {"title": "x", "body": "y"})
            check(status == 202, f"{status} {answer}")
            job = answer["job_id"]
            wait_for_job(node, job)
            with watching(node, f"/v1/notifications/{job}/events") as own:
                wait_until(lambda: own.ended, "its stream ends", 30)
                check(own.of("job")[-1] == view_of(node, job), f"{own.all}")
            wait_until(lambda: all_events.of("lane"), "the lanes are told", 30)
            check(not all_events.of("job"), f"{all_events.all}")


def who_comes_again_misses_nothing():
    """With the id of his last event, and with one of a node that was killed."""
    values = tokens(3_000)
    with stage() as (node, simulator):
        register(node, values, topic="news")
        with watching(node, "/v1/events") as first:
            one = publish(node, "news")
            wait_until(lambda: [each for each in first.of("job") if each["completed_at"]], "the first job's end", 60)
        last = [number for _, number, _ in first.all if number][-1]
        two = publish(node, "news")
        wait_for_job(node, two)
        with watching(node, "/v1/events", last=last) as second:
            ends = wait_until(lambda: [each["job_id"] for each in second.of("job") if each["completed_at"]],
                              "the second job's end", 60)
            check(ends == [two], f"{ends}, not only {two}")
        node.kill()
        node.start()
        with watching(node, "/v1/events", last=last) as third:
            wait_until(lambda: {each["job_id"] for each in third.of("job") if each["completed_at"]} == {one, two},
                       "both jobs are told", 60)


def a_subscriber_that_reads_nothing_costs_little():
    """Its node goes on, others hear all, and it loses only what came between."""
    values = tokens(2_000)
    with stage({"http": {"idle-timeout": "1h"}, "sse": {"interval": "50ms"}}) as (node, simulator):
        register(node, values, topic="news")
        with watching(node, "/v1/events") as reader, contextlib.ExitStack() as stack:
            stalled = [Events(node, "/v1/events", receive_buffer=2048) for _ in range(50)]
            for each in stalled:
                stack.callback(each.close)
            jobs = [publish(node, "news") for _ in range(40)]
            for job in jobs:
                wait_for_job(node, job)
            wait_until(lambda: {each["job_id"] for each in reader.of("job") if each["completed_at"]} == set(jobs),
                       "the reader hears of all", 60)
            stalled[0].start()
            wait_until(lambda: stalled[0].ended
                       or {each["job_id"] for each in stalled[0].of("job") if each["completed_at"]} == set(jobs),
                       "who reads late gets all ends, or the end of the stream", 60)


def a_stopping_node_says_so():
    with stage() as (node, _):
        with watching(node, "/v1/events") as events:
            wait_until(lambda: events.of("lane"), "the stream works", 30)
            os.kill(node.process.pid, signal.SIGTERM)
            wait_until(lambda: events.ended, "the stream ends", 30)
            check(events.all[-1][0] == "stop", f"{events.all[-1]}")
            node.process.wait(30)


def a_silent_stream_is_kept_and_one_that_is_gone_is_forgotten():
    with stage({"http": {"idle-timeout": "1s"}}) as (node, _):
        def subscribers():
            text = node.call("GET", "/metrics")[2]
            return next(line.split()[1] for line in text.splitlines() if line.startswith("signalbox_sse_subscribers "))

        with watching(node, "/v1/events") as events:
            wait_until(lambda: subscribers() == "1", "it is counted", 30)
            with contextlib.closing(socket.create_connection(("127.0.0.1", port_of(node.url)))) as idle:
                idle.settimeout(60)
                check(idle.recv(1) == b"", "an idle connection is ended")
            check(not events.ended, "a silent stream was ended")
        wait_until(lambda: subscribers() == "0", "it is gone", 60)


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
