"""Durable 202s a second: single-user sends under wrk, beside nginx `return 202` under the same wrk, and
beside a bare loop that commits the same rows in groups of 64."""

import pathlib
import re
import socket
import subprocess
import time

from measure import cpu_seconds, median

from launcher import BIN, LaunchError, Node, Simulator, fresh_directory

CONNECTIONS = 64
USERS = 10_000

SCRIPT = """
local body = '{"title":"Your code","body":"1234 is your login code. It is valid for ten minutes.",' ..
  '"data":{"kind":"login-code","request":"5f0c6e7a-9d1b-4c58-8f5e-0d8f5b1e2a34"}}'
local number = 0
request = function()
  number = (number + 7919) % USERS
  return wrk.format("POST", "/v1/users/user-" .. number .. "/send", {["Content-Type"] = "application/json"}, body)
end
done = function(summary, latency)
  io.write(string.format("p50 %.3f p99 %.3f max %.3f errors %d\\n", latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, latency.max / 1000, summary.errors.status + summary.errors.connect +
    summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


def wrk(url, script, seconds):
    """(202s a second, p50 ms, p99 ms, errors)"""
    text = subprocess.run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(script), url],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    found = re.search(r"p50 ([\d.]+) p99 ([\d.]+) max ([\d.]+) errors (\d+)", text)
    return rate, float(found.group(1)), float(found.group(2)), int(found.group(4))


class Nginx:
    def __init__(self, directory):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        config = directory / "nginx.conf"
        config.write_text(f"""
daemon off; pid {directory}/nginx.pid; error_log {directory}/nginx.log; worker_processes 1;
events {{ worker_connections 1024; }}
http {{
  access_log off; client_body_temp_path {directory}/body; keepalive_requests 1000000000;
  proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;
  server {{ listen 127.0.0.1:{self.port}; location / {{ return 202 '{{"status":"queued"}}'; }} }}
}}""")
        self.process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(config)],
                                        stderr=subprocess.DEVNULL)
        self.url = f"http://127.0.0.1:{self.port}"
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        raise LaunchError("nginx did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def bare_loop(directory, seconds):
    """Jobs a second of a loop that does nothing but commit the same rows in groups of 64."""
    text = subprocess.run([str(BIN / "store_bench"), "bare", str(directory), str(seconds)],
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    return float(re.search(r"([\d.]+) jobs/s", text).group(1))


def syncs_per_202(node, url, script, seconds):
    """Counted by strace in a run of its own, since tracing slows the node down."""
    trace = node.directory / "syncs.txt"
    tracer = subprocess.Popen(["strace", "-f", "-c", "-e", "trace=fdatasync,fsync", "-o", str(trace),
                               "-p", str(node.process.pid)], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    rate, *_ = wrk(url, script, seconds)
    tracer.terminate()
    tracer.wait()
    syncs = sum(int(line.split()[3]) for line in trace.read_text().splitlines()
                if line.strip().endswith(("fdatasync", "fsync")))
    return syncs / (rate * seconds)


def run(quick):
    seconds = 3 if quick else 10
    pairs = 2 if quick else 5
    directory = fresh_directory("bench")
    script = directory / "send.lua"
    script.write_text(SCRIPT.replace("USERS", str(USERS)))
    simulator = Simulator(directory)
    node = nginx = None
    try:
        node = Node(directory, simulator).start()
        nginx = Nginx(directory)
        for start in range(0, USERS, 5_000):
            batch = [{"id": f"user-{i}", "platform": "apns", "token": f"{i:064x}"}
                     for i in range(start, start + 5_000)]
            status, _, body = node.call("POST", "/v1/tokens:batch", {"tokens": batch}, timeout=300)
            if status != 200:
                raise SystemExit(f"import refused: {status} {body}")
        wrk(node.url, script, 2)
        print(f"{'pair':>4} {'nginx 202/s':>12} {'bare jobs/s':>12} {'node 202/s':>11} {'/nginx':>7} {'/bare':>6} "
              f"{'p50 ms':>7} {'p99 ms':>7} {'CPU us/202':>11}")
        rows = []
        for pair in range(1, pairs + 1):
            peer, *_ = wrk(nginx.url, script, seconds)
            bare = bare_loop(directory, seconds)
            cpu = cpu_seconds(node.process.pid)
            rate, p50, p99, errors = wrk(node.url, script, seconds)
            cpu = (cpu_seconds(node.process.pid) - cpu) / (rate * seconds) * 1e6
            if errors:
                raise SystemExit(f"{errors} requests were not answered 202")
            rows.append((rate / peer, rate / bare, p99))
            print(f"{pair:>4} {peer:>12,.0f} {bare:>12,.0f} {rate:>11,.0f} {rate / peer:>7.3f} {rate / bare:>6.3f} "
                  f"{p50:>7.2f} {p99:>7.2f} {cpu:>11.1f}", flush=True)
        per_202 = syncs_per_202(node, node.url, script, 3)
        print(f"median: {median([r[0] for r in rows]):.3f} of nginx, {median([r[1] for r in rows]):.3f} of the bare "
              f"loop, p99 {median([r[2] for r in rows]):.2f} ms; {per_202:.4f} fsyncs a 202 (traced run)")
        print("wrk, the node with its lane running, the simulator and nginx share all cores: they are the limit.")
    finally:
        if nginx:
            nginx.stop()
        if node:
            node.stop()
        simulator.stop()
