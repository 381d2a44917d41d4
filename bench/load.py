"""Loads of a steady rate: requests over connections that stay open, sent when due, answered or not."""

import http.client
import json
import threading
import time


class Link:
    """A connection to a node that stays open. For one thread."""

    def __init__(self, node):
        self.connection = http.client.HTTPConnection("127.0.0.1", int(node.url.rsplit(":", 1)[1]), timeout=60)

    def call(self, method, path, body=None):
        """(status, parsed JSON)"""
        data = None if body is None else json.dumps(body)
        self.connection.request(method, path, data, {"Content-Type": "application/json"} if data else {})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def post(self, path, body, *expected):
        """The answer's body; ends the program on another status."""
        status, answer = self.call("POST", path, body)
        if status not in expected:
            raise SystemExit(f"POST {path} was refused: {status} {answer}")
        return answer


class Steady:
    """Open loop: `send(link, n)` for n = 0, 1, ... at `rate` a second, until the context ends; a late answer
    holds up none of the other connections' requests. What `send` returned is in `results`."""

    def __init__(self, node, rate, send, links=8):
        self.node, self.rate, self.send, self.links = node, rate, send, links
        self.results, self.error = [], None
        self.stop = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(first,), daemon=True) for first in range(links)]

    def work(self, first):
        try:
            link, number = Link(self.node), first
            while not self.stop.wait(max(0, self.begun + number / self.rate - time.monotonic())):
                self.results.append(self.send(link, number))
                number += self.links
        except (Exception, SystemExit) as error:  # raised again by the thread that waits
            self.error = error

    def __enter__(self):
        self.begun = time.monotonic()
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        for each in self.threads:
            each.join()
        if self.error and not kind:
            raise self.error


def in_parallel(node, work, items, links=8):
    """Calls `work(link, item)` for all, over several connections."""
    errors = []

    def share(first):
        try:
            link = Link(node)
            for item in items[first::links]:
                work(link, item)
        except (Exception, SystemExit) as error:
            errors.append(error)

    threads = [threading.Thread(target=share, args=(first,), daemon=True) for first in range(links)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if errors:
        raise errors[0]
