"""Starts a simulator and a node on free ports with an embedded store, for ./dev run, the demo, the
benchmarks and the crash tests."""

import fcntl
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

TOP = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("PROGRAMS_UNDER_TEST", TOP / "build" / "release" / "bin"))


class LaunchError(Exception):
    pass


def request(method, url, body=None, timeout=30, content_type="application/json"):
    """Returns (status, headers, parsed JSON or text)."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": content_type} if data is not None else {}
    call = urllib.request.Request(url, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(call, timeout=timeout) as answer:
            status, head, text = answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        status, head, text = error.code, error.headers, error.read()
    try:
        return status, head, json.loads(text)
    except ValueError:
        return status, head, text.decode(errors="replace")


def wait_for_file(path, process, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if path.exists() and path.stat().st_size > 0:
            try:
                return json.loads(path.read_text())
            except ValueError:
                pass
        if process.poll() is not None:
            raise LaunchError(f"{what} ended with status {process.returncode}; its log: {path.parent}")
        time.sleep(0.02)
    raise LaunchError(f"{what} was not ready within {seconds} s")


class Simulator:
    def __init__(self, directory, arguments=(), bin_dir=BIN, prefix=()):
        self.directory = pathlib.Path(directory)
        info_file = self.directory / "simulator.json"
        info_file.unlink(missing_ok=True)
        self.log = open(self.directory / "simulator.log", "a")
        self.process = subprocess.Popen(
            [*prefix, str(bin_dir / "signalbox-sim"), "--tls-dir", str(self.directory / "tls"),
             "--info-file", str(info_file), *arguments],
            stdout=self.log, stderr=self.log, start_new_session=True)
        self.info = wait_for_file(info_file, self.process, 20, "the simulator")

    def stats(self):
        return request("GET", self.info["admin"] + "/stats")[2]

    def faults(self, faults):
        status, _, body = request("POST", self.info["admin"] + "/faults", faults)
        if status >= 300:
            raise LaunchError(f"the simulator refused the faults: {body}")

    def reset(self):
        request("POST", self.info["admin"] + "/reset", b"")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


def port_of(url):
    return int(url.rsplit(":", 1)[1].strip("/"))


def render(settings, indent=""):
    """A dict of dicts in the syntax of the actor configuration file. Values are written as they are."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key} {{", *render(value, indent + "  "), f"{indent}}}"]
        else:
            lines.append(f"{indent}{key} = {value}")
    return lines


def merged(base, over):
    result = dict(base)
    for key, value in over.items():
        result[key] = merged(result.get(key, {}), value) if isinstance(value, dict) else value
    return result


class Node:
    """A node with its store in `directory`. It can be killed and started again."""

    def __init__(self, directory, simulator, settings=None, bin_dir=BIN, prefix=()):
        self.directory = pathlib.Path(directory)
        self.bin_dir = bin_dir
        self.prefix = prefix
        self.config = self.directory / "node.conf"
        self.process = None
        self.log = None
        tls = self.directory / "tls" if simulator is None else pathlib.Path(simulator.info["tls_dir"])
        port = port_of(simulator.info["apns"])
        base = {
            "http": {"port": 0},
            "store": {"path": f'"{self.directory / "signalbox.db"}"'},
            "node": {"state-dir": f'"{self.directory}"'},
            "apns": {
                "bundle": f'"{simulator.info["bundle"]}"',
                "key-file": f'"{tls / "apns-key.p8"}"',
                "key-id": f'"{simulator.info["apns_key_id"]}"',
                "team-id": f'"{simulator.info["apns_team_id"]}"',
                "production-host": '"localhost"', "production-port": port,
                "sandbox-host": '"localhost"', "sandbox-port": port,
                "ca-file": f'"{tls / "ca.pem"}"',
            },
            "fcm": {
                "service-account-file": f'"{simulator.info["service_account"]}"',
                "host": '"localhost"', "port": port_of(simulator.info["fcm"]),
                "ca-file": f'"{tls / "ca.pem"}"',
                "job-marker": f'"{simulator.info["job_marker"]}"',
            },
        }
        self.config.write_text("\n".join(render(merged(base, settings or {}))) + "\n")

    def start(self, seconds=60):
        info_file = self.directory / "node.json"
        info_file.unlink(missing_ok=True)
        self.log = open(self.directory / "node.log", "a")
        self.process = subprocess.Popen(
            [*self.prefix, str(self.bin_dir / "signalboxd"), f"--config-file={self.config}"],
            stdout=self.log, stderr=self.log, start_new_session=True,
            env={**os.environ, "NO_PROXY": "localhost"})  # the simulator is on this machine
        self.info = wait_for_file(info_file, self.process, seconds, "the node")
        return self

    @property
    def url(self):
        return self.info["http"]

    def call(self, method, path, body=None, **more):
        return request(method, self.url + path, body, **more)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.log.close()

    def stop(self, seconds=40):
        """SIGTERM, and the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise LaunchError(f"the node did not stop within {seconds} s")
        if not self.log.closed:
            self.log.close()
        return status


def fresh_directory(name):
    return pathlib.Path(tempfile.mkdtemp(prefix=f"signalbox-{name}."))


def claim_directory(directory, seconds=15):
    """Makes it, and keeps it from others as long as the answer is open. Waits for one that is just
    ending, as after a kill of its node."""
    directory.mkdir(parents=True, exist_ok=True)
    lock = open(directory / "run.lock", "w")
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            if time.monotonic() > end:
                lock.close()
                raise LaunchError(f"another ./dev run uses {directory}") from None
            time.sleep(0.1)


def stop_on_signals():
    """SIGTERM ends the program like Ctrl-C."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGINT, interrupt)


def info_of(node, simulator):
    return {
        "http": node.url, "apns": simulator.info["apns"], "fcm": simulator.info["fcm"],
        "admin": simulator.info["admin"], "node_pid": node.process.pid,
        "sim_pid": simulator.process.pid, "store": str(node.directory / "signalbox.db"),
        "config": str(node.config), "dir": str(node.directory),
    }


def write_json(path, value):
    path = pathlib.Path(path)
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(value, indent=2) + "\n")
    os.replace(partial, path)
