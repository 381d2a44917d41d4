"""signalboxd as operators and scripts see it, by its exit codes: program_days.py SCENARIO."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

from scenario import check, run_chosen

from launcher import BIN, Node, Simulator, port_of, request


def signalboxd(*options, **environment):
    """Returns the exit code and what was said on standard error."""
    run = subprocess.run([str(BIN / "signalboxd"), *options], env={**os.environ, **environment},
                         stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return run.returncode, run.stderr


def check_says(answer, code, *texts):
    check(answer[0] == code, f"exit code {answer[0]}, not {code}: {answer[1]}")
    for text in texts:
        check(text in answer[1], f"{text!r} is not said: {answer[1]}")


def mistakes_are_2_and_said_all_at_once():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        config = pathlib.Path(directory) / "node.conf"
        config.write_text('http { port = 70000 }\n'
                          'apns { bundle = "a.b", key-file = "/none.p8", key-id = "K", team-id = "ABCDE12345" }\n')
        answer = signalboxd(f"--config-file={config}", "--check-config", SIGNALBOX_LOG_LEVEL="loud")
        check_says(answer, 2, "node.conf:1: http.port:", "node.conf:2: apns.key-id:",
                   "node.conf:2: apns.key-file:", "environment: SIGNALBOX_LOG_LEVEL:")
        config.write_text("http { port = 0\n")
        check_says(signalboxd(f"--config-file={config}"), 2, "node.conf:1: http:", "closing brace")
    check_says(signalboxd("--config-file=/none.conf"), 2, "/none.conf")
    check_says(signalboxd("--no-such-option"), 2, "--no-such-option")
    check_says(signalboxd(SIGNALBOX_HTTP_ADDRESS="0.0.0.0"), 2, "environment: http.address:")


def what_cannot_be_used_is_1_and_a_second_node_is_3():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        simulator = Simulator(directory)
        node = Node(directory, simulator).start()
        try:
            database = pathlib.Path(directory) / "signalbox.db"
            link = pathlib.Path(directory) / "other-name.db"
            link.symlink_to(database)
            for name in (database, link):
                check_says(signalboxd(SIGNALBOX_STORE_PATH=str(name), SIGNALBOX_HTTP_PORT="0",
                                      SIGNALBOX_STORE_LOCK_WAIT="100ms"), 3, "signalbox.db.lock")
            check_says(signalboxd(SIGNALBOX_STORE_PATH=f"{directory}/new.db",
                                  SIGNALBOX_HTTP_PORT=str(port_of(node.url))), 1, "Address already in use")
            check_says(signalboxd(SIGNALBOX_STORE_PATH=f"{directory}/none/new.db", SIGNALBOX_HTTP_PORT="0"),
                       1, f"{directory}/none/new.db")
            check(request("GET", node.url + "/v1/ping")[0] == 200, "the first node is gone")
        finally:
            ended = node.stop()
            simulator.stop()
        check(ended == 0, f"an ordered stop is {ended}")


def a_stop_that_does_not_finish_is_4():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        simulator = Simulator(directory)
        node = Node(directory, simulator, {"stop": {"deadline": "1s"}}).start()
        try:
            simulator.faults({"apns": {"stall": True}})
            body = {"tokens": [{"platform": "apns", "token": "ab" * 32}], "body": "b"}
            check(request("POST", node.url + "/v1/notifications", body)[0] == 202, "it is not accepted")
            end = time.monotonic() + 60
            while simulator.stats()["apns"]["requests"] == 0 and time.monotonic() < end:
                time.sleep(0.05)
            ended = node.stop()
        finally:
            if node.process:
                node.stop()
            simulator.stop()
        check(ended == 4, f"it ended with status {ended}")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
