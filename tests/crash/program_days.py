"""signalboxd as operators and scripts see it, by its exit codes: program_days.py SCENARIO."""

import os
import pathlib
import signal
import socket
import ssl
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


def log_of(node):
    return (node.directory / "node.log").read_text()


def wait_for_line(read, *texts, seconds=20):
    end = time.monotonic() + seconds
    while not any(all(text in line for text in texts) for line in read().splitlines()):
        check(time.monotonic() < end, f"no line has {texts}: {read()}")
        time.sleep(0.02)


def only_stop_signals_end_a_node_and_in_order():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        simulator = Simulator(directory)
        node = Node(directory, simulator).start()
        try:
            for each in (signal.SIGPIPE, signal.SIGXFSZ):
                node.signal(each)
            for each in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPROF,
                         signal.SIGIO, signal.SIGPWR, signal.SIGXCPU, signal.SIGRTMIN, signal.SIGRTMAX):
                node.signal(each)
                wait_for_line(lambda: log_of(node), "event=signal_ignored", f"signal={each.value}")
            check(request("GET", node.url + "/v1/ping")[0] == 200, "the node is gone")
            node.signal(signal.SIGQUIT)
            check(node.process.wait(40) == 0, f"SIGQUIT ends it with {node.process.returncode}")
            check("event=stopped drained=true" in log_of(node), "the stop is not in order")
        finally:
            node.stop()
            simulator.stop()


def a_log_that_was_moved_is_opened_again():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        log = pathlib.Path(directory) / "signalbox.log"
        moved = pathlib.Path(directory) / "signalbox.log.1"
        simulator = Simulator(directory)
        node = Node(directory, simulator, {"log": {"file": f'"{log}"'}}).start()
        try:
            wait_for_line(log.read_text, "event=started")
            log.rename(moved)
            node.signal(signal.SIGHUP)
            wait_for_line(lambda: log.read_text() if log.exists() else "", "event=reload")
            before = moved.read_text()
            second = pathlib.Path(directory) / "signalbox.log.2"
            log.rename(second)
            log.mkdir()  # what cannot be opened leaves the log where it is
            node.signal(signal.SIGHUP)
            wait_for_line(second.read_text, "event=log_not_reopened")
            log.rmdir()
            node.signal(signal.SIGHUP)
            wait_for_line(lambda: log.read_text() if log.exists() else "", "event=reload")
            check(moved.read_text() == before, "the file that was moved is still written to")
            ended = node.stop()
            check("event=stopped" in log.read_text(), "the log ended early")
        finally:
            node.stop()
            simulator.stop()
        check(ended == 0, f"it ended with status {ended}")


def a_check_says_what_a_start_says():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        simulator = Simulator(directory)
        try:
            tls = pathlib.Path(simulator.info["tls_dir"])
            p384 = subprocess.run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
                                   "ec_paramgen_curve:P-384"], capture_output=True, check=True).stdout
            rsa = subprocess.run(["openssl", "genpkey", "-algorithm", "RSA"], capture_output=True, check=True).stdout
            good = (tls / "apns-key.p8").read_bytes()
            bad = pathlib.Path(directory) / "bad"
            for settings, texts in (
                    ({"apns": {"key-file": f'"{bad}"'}}, (p384, rsa, good[:len(good) // 2])),
                    ({"apns": {"ca-file": f'"{bad}"'}}, (b"no certificate\n",)),
                    ({"fcm": {"ca-file": f'"{bad}"'}}, (b"no certificate\n",)),
                    ({"fcm": {"service-account-file": f'"{bad}"'}}, (b"{}", b'{"type":', good)),
                    ({"apns": {"production-host": '"api.push.apple.com:2197"'}}, (b"",)),
                    ({"apns": {"proxy": '"http://localhost:99999"'}}, (b"",)),
                    ({"store": {"path": f'"{directory}/none/signalbox.db"'}}, (b"",)),
                    ({"log": {"file": f'"{directory}/none/node.log"'}}, (b"",))):
                config = Node(directory, simulator, settings).config
                for text in texts:
                    bad.write_bytes(text)
                    status, said = signalboxd(f"--config-file={config}", "--check-config")
                    check(status == 2 and said, f"{settings} is fine: {status} {said}")
                    ended, words = signalboxd(f"--config-file={config}")
                    check(ended in (1, 2), f"{settings} starts")
                    for line in said.splitlines():
                        check(line in words, f"the start does not say {line!r}: {words}")
            bad.write_bytes(b"\xef\xbb\xbf" + good)
            mark = {"apns": {"key-file": f'"{bad}"', "ca-file": f'"{directory}/ca"'}}
            pathlib.Path(f"{directory}/ca").write_bytes(b"\xef\xbb\xbf" + (tls / "ca.pem").read_bytes())
            bad.chmod(0o644)
            node = Node(directory, simulator, mark)
            node.config.write_bytes(b"\xef\xbb\xbf" + node.config.read_bytes())
            check_says(signalboxd(f"--config-file={node.config}", "--check-config"), 0,
                       f"{bad} can be read by every user")
            node.start()
            check("can be read by every user" in log_of(node), "the start does not warn")
            check(node.stop() == 0, "it did not stop")
        finally:
            simulator.stop()


def a_simulators_certificate_has_the_names_asked_for_and_its_log_says_why_connections_end():
    def simulate(*options):
        run = subprocess.run([str(BIN / "signalbox-sim"), *options], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=60)
        return run.returncode, run.stderr

    check_says(simulate("--names", "api.push.apple.com,bad name"), 2, "--names", "bad name is no host name")
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        simulator = Simulator(directory, ["--names", "api.push.apple.com,fcm.googleapis.com"])
        try:
            trust = ssl.create_default_context(cafile=pathlib.Path(simulator.info["tls_dir"]) / "ca.pem")
            for name in ("api.push.apple.com", "fcm.googleapis.com", "localhost"):
                with socket.create_connection(("127.0.0.1", port_of(simulator.info["apns"]))) as plain:
                    trust.wrap_socket(plain, server_hostname=name).close()
            with socket.create_connection(("127.0.0.1", port_of(simulator.info["apns"]))) as plain:
                plain.sendall(b"POST /3/device/00 HTTP/1.1\r\n\r\n")  # no TLS at all
                wait_for_line(lambda: (pathlib.Path(directory) / "simulator.log").read_text(),
                              "event=connection_closed provider=apns peer=127.0.0.1:", "http request")
        finally:
            simulator.stop()


def links_of_a_kubernetes_service_are_left_out():
    links = {"SIGNALBOX_PORT": "tcp://10.96.1.2:8080", "SIGNALBOX_SERVICE_HOST": "10.96.1.2",
             "SIGNALBOX_SERVICE_PORT": "8080", "SIGNALBOX_SERVICE_PORT_HTTP": "8080",
             "SIGNALBOX_PORT_8080_TCP": "tcp://10.96.1.2:8080", "SIGNALBOX_PORT_8080_TCP_ADDR": "10.96.1.2",
             "SIGNALBOX_PORT_8080_TCP_PORT": "8080", "SIGNALBOX_PORT_8080_TCP_PROTO": "tcp"}
    check_says(signalboxd("--check-config", SIGNALBOX_HTTP_PORT="0", **links), 0,
               *[f"{name}: looks like the link of a Kubernetes Service" for name in links])
    check_says(signalboxd("--check-config", SIGNALBOX_PORT="8080"), 2, "SIGNALBOX_PORT")


def a_lane_that_is_gone_and_a_full_disk_are_told():
    with tempfile.TemporaryDirectory(prefix="signalbox-program-test.") as directory:
        simulator = Simulator(directory)
        node = Node(directory, simulator, {"lane": {"bulk": {"senders": 1}}}).start()
        try:
            body = {"tokens": [{"platform": "apns", "token": "ab" * 32}], "body": "b", "lane": "bulk",
                    "scheduled_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 86_400))}
            for _ in range(3):
                status, _, answer = request("POST", node.url + "/v1/notifications", body)
                check(status == 202, f"not accepted: {status} {answer}")
            check(node.stop() == 0, "it did not stop")
            node = Node(directory, simulator, {"store": {"min-free-space": '"1024GiB"'}}).start()
            wait_for_line(lambda: log_of(node), "event=lane_not_configured", "lane=bulk", "open_jobs=3")
            status, _, ready = request("GET", node.url + "/readyz")
            check(status == 503 and any(each["name"] == "disk" and not each["ok"] for each in ready["checks"]),
                  f"a disk without room is not told: {status} {ready}")
            wait_for_line(lambda: log_of(node), "event=disk_short", "min_free_space=1099511627776")
        finally:
            node.stop()
            simulator.stop()


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
