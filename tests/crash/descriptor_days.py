"""Days without enough file descriptors, with real limits: descriptor_days.py SCENARIO."""

import contextlib
import json
import pathlib
import socket
import subprocess
import sys

from scenario import QUICK, check, run_chosen, wait_until

from launcher import Node, Simulator, fresh_directory, merged, port_of

IDLE = {"http": {"idle-timeout": "10min"}}


@contextlib.contextmanager
def limited(limit, settings=None):
    """A node that may have so many descriptors: soft and hard limit, or "soft:hard"."""
    directory = fresh_directory("descriptors")
    simulator = Simulator(directory)
    node = Node(directory, simulator, merged(merged(QUICK, IDLE), settings or {}),
                prefix=("prlimit", f"--nofile={limit}"))
    try:
        yield node.start()
        check(node.process.poll() is None, f"the node ended with status {node.process.returncode}")
        status = node.stop()
        check(status == 0, f"the node ended with status {status}")
    finally:
        if node.process and node.process.poll() is None:
            node.kill()
        simulator.stop()


def log_of(node):
    return (node.directory / "node.log").read_text()


def lines_of(node, event):
    return [line for line in log_of(node).splitlines() if f"event={event}" in line]


class Clients:
    """Connections that ask nothing more, and what became of each."""

    def __init__(self, node, count):
        self.kept, self.refused, self.closed = [], 0, 0
        for _ in range(count):
            self.open(port_of(node.url))

    def open(self, port):
        one = socket.create_connection(("127.0.0.1", port), timeout=20)
        try:
            one.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = one.recv(4096)
        except ConnectionError:
            answer = b""
        if answer.startswith(b"HTTP/1.1 200"):
            self.kept.append(one)
            return
        check(not answer or answer.startswith(b"HTTP/1.1 503"), f"{answer!r}")
        self.refused += bool(answer)
        self.closed += not answer
        one.close()

    def ask(self, method, path, body=b""):
        """On a connection that is open."""
        one = self.kept[0]
        head = (f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        one.sendall(head.encode() + body)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += one.recv(65536)
        head, _, rest = answer.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n")
                      if line.lower().startswith(b"content-length"))
        while len(rest) < length:
            rest += one.recv(65536)
        return int(head.split()[1]), rest.decode()

    def close(self):
        for one in self.kept:
            one.close()


FCM_TOKEN = "d" * 11 + ":APA91b" + "x" * 134




def all_are_delivered(limit, count, most_kept):
    with limited(limit) as node:
        clients = Clients(node, count)
        check(clients.kept, "no client is served")
        check(len(clients.kept) <= most_kept, f"{len(clients.kept)} clients are served")
        check(len(clients.kept) + clients.refused + clients.closed == count, "a client is lost")
        for platform, token in (("apns", "ab" * 32), ("fcm", FCM_TOKEN)):
            status, text = clients.ask("POST", "/v1/notifications", body_for(platform, token))
            check(status == 202, f"not accepted: {status} {text}")
            job = json.loads(text)["job_id"]

            def counts():
                status, text = clients.ask("GET", f"/v1/notifications/{job}")
                view = json.loads(text)
                return view["counts"] if view["completed_at"] else None

            ended = wait_until(counts, f"the first push to {platform} ends", 60)
            check(ended["accepted"] == 1, f"the first push to {platform}: {ended}")
        status, text = clients.ask("GET", "/readyz")
        check(status == 200, f"not ready: {text}")
        warnings = lines_of(node, "descriptor_limit")
        check(len(warnings) == 1 and f"limit={limit} " in warnings[0] and "wanted=4" in warnings[0],
              f"the warning does not name both numbers: {warnings}")
        clients.close()


def body_for(platform, token):
    return f'{{"tokens":[{{"platform":"{platform}","token":"{token}"}}],"body":"b"}}'.encode()


def a_full_table_stops_no_thread():
    """The limit falls below what is open, and is put back."""
    with limited(1024) as node:
        clients = Clients(node, 1)
        limit_to(node, descriptors_of(node))
        waiting = [socket.create_connection(("127.0.0.1", port_of(node.url)), timeout=60) for _ in range(3)]
        wait_until(lambda: lines_of(node, "accept_failed"), "a client cannot be accepted")
        status, text = clients.ask("GET", "/readyz")
        check(status == 503 and '"name":"descriptors","ok":false' in text, f"{status} {text}")
        jobs = []
        for platform, token in (("apns", "ab" * 32), ("fcm", FCM_TOKEN)):
            status, text = clients.ask("POST", "/v1/notifications", body_for(platform, token))
            check(status == 202, f"not accepted: {status} {text}")
            jobs.append(json.loads(text)["job_id"])
        status, text = clients.ask("GET", "/metrics")
        check(status == 200, f"no metrics: {status}")
        wait_until(lambda: clients.ask("GET", "/v1/breakers")[0] == 200, "it answers")
        check(len(lines_of(node, "accept_failed")) == 1, "it is logged more than once a minute")
        check(len(lines_of(node, "descriptors_short")) == 1, "it is logged more than once a minute")
        limit_to(node, 1024)
        for one in waiting:
            one.sendall(b"GET /v1/ping HTTP/1.1\r\nHost: localhost\r\n\r\n")
            check(one.recv(4096).startswith(b"HTTP/1.1 200"), "who waited is not served")
            one.close()
        for job in jobs:
            def counts():
                view = json.loads(clients.ask("GET", f"/v1/notifications/{job}")[1])
                return view["counts"] if view["completed_at"] else None

            check(wait_until(counts, f"job {job} ends", 90)["accepted"] == 1, "it is not delivered")
        check(clients.ask("GET", "/readyz")[0] == 200, "not ready")
        clients.close()


def the_soft_limit_is_raised_to_the_hard_one():
    with limited("256:16384") as node:
        limits = pathlib.Path(f"/proc/{node.process.pid}/limits").read_text()
        line = next(each for each in limits.splitlines() if each.startswith("Max open files"))
        check(line.split()[3:5] == ["16384", "16384"], line)
        check(not lines_of(node, "descriptor_limit"), "it warns though all fits")
        clients = Clients(node, 300)
        check(len(clients.kept) == 300, f"{len(clients.kept)} of 300 clients are served")
        clients.close()


def limit_to(node, count):
    subprocess.run(["prlimit", f"--pid={node.process.pid}", f"--nofile={count}:1024"], check=True)


def descriptors_of(node):
    return len(list(pathlib.Path(f"/proc/{node.process.pid}/fd").iterdir()))


def first_pushes_leave_with_96_descriptors_and_150_idle_clients():
    all_are_delivered(96, 150, 30)


def first_pushes_leave_with_1024_descriptors_and_1100_idle_clients():
    all_are_delivered(1024, 1_100, 1_000)


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
