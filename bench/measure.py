"""What all benchmarks need: the machine, processes' CPU and memory, provider tokens, tables."""

import base64
import json
import os
import pathlib
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "runtime" / "tools"))

TICKS = os.sysconf("SC_CLK_TCK")


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown CPU")
    memory = int(next(line for line in open("/proc/meminfo") if line.startswith("MemTotal")).split()[1])
    return f"{os.cpu_count()} x {model}, {memory / 2**20:.0f} GiB, Linux {os.uname().release}"


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_anon_mib(pid):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


class PeakMemory:
    """Samples RssAnon of a process every 20 ms."""

    def __init__(self, pid):
        self.pid, self.peak = pid, 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.sample, daemon=True)

    def sample(self):
        while not self.ended.wait(0.02):
            try:
                self.peak = max(self.peak, rss_anon_mib(self.pid))
            except OSError:
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def pin(core):
    """Command prefix that keeps a process, with all its threads, on one core."""
    return ("taskset", "-c", str(core))


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))]


def median(values):
    return statistics.median(values)


def url_safe(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def provider_token(key_file, key_id, team_id):
    """An ES256 provider token, signed by the openssl program: DER turned into r || s (RFC 7518, 3.4)."""
    head = url_safe(json.dumps({"alg": "ES256", "kid": key_id}).encode())
    claims = url_safe(json.dumps({"iss": team_id, "iat": int(time.time())}).encode())
    signed = f"{head}.{claims}"
    der = subprocess.run(["openssl", "dgst", "-sha256", "-sign", str(key_file)], input=signed.encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    numbers, place = b"", 2
    for _ in range(2):
        length = der[place + 1]
        numbers += der[place + 2:place + 2 + length].lstrip(b"\0").rjust(32, b"\0")
        place += 2 + length
    return f"{signed}.{url_safe(numbers)}"


def wait_for_job(node, job, seconds=600, pause=0.1):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status, _, view = node.call("GET", f"/v1/notifications/{job}")
        if status == 200 and view["completed_at"]:
            return view
        time.sleep(pause)
    raise SystemExit(f"job {job} did not end within {seconds} s: {view}")


def milliseconds(text):
    """RFC 3339 to milliseconds since the epoch."""
    import datetime
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000
