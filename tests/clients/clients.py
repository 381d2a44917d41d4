"""Runs foreign clients against the simulator, unchanged and with their defaults: each in a network of
its own, where a hosts file points Apple's and Google's names at a simulator on port 443. Prints a table;
the exit status is 1 when one fails. ./dev clients"""

import argparse
import dataclasses
import fcntl
import json
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
sys.path.insert(0, str(TOP / "runtime" / "tools"))

from launcher import LaunchError, Simulator, fresh_directory  # noqa: E402

CACHE = TOP / ".cache" / "clients"
HOSTS = {
    "apns": ["api.push.apple.com"],
    "fcm": ["fcm.googleapis.com", "oauth2.googleapis.com"],
}
# Half of all tokens are gone: which ones, their hash tells.
FAULTS = {"apns": {"mix": {"410 Unregistered": 0.5}}, "fcm": {"mix": {"404 UNREGISTERED": 0.5}}}
REJECTED = {"apns": "abc", "fcm": "bad"}
TIME_LIMIT_S = 120


@dataclasses.dataclass
class Client:
    name: str
    provider: str
    install: callable
    version: callable
    command: list
    said: dict
    pushes: int = 1  # accepted ones


# --- installing: each tool with its own defaults, below the cache --------------------------------------

def run(*command, **more):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **more)
    if done.returncode != 0:
        raise LaunchError(f"{command[0]} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def install_node():
    folder = CACHE / "node"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "node" / "package.json", folder)
    run("npm", "install", "--no-package-lock", "--ignore-scripts", cwd=folder)


def install_python():
    folder = CACHE / "python"
    if not (folder / "bin" / "pip").exists():
        run(sys.executable, "-m", "venv", folder)
    run(folder / "bin" / "pip", "install", "-r", HERE / "python" / "requirements.txt")


GO = {"GOMODCACHE": str(CACHE / "go" / "modules"), "GOCACHE": str(CACHE / "go" / "cache"),
      "GOFLAGS": "-modcacherw"}


def install_go():
    target = CACHE / "go" / "bin"
    target.mkdir(parents=True, exist_ok=True)
    run("go", "build", "-o", target, "./...", cwd=HERE / "go", env={**os.environ, **GO})


def install_java():
    folder = CACHE / "java"
    run("mvn", "-q", "-B", f"-Dmaven.repo.local={folder / 'repository'}", "-f", HERE / "java" / "pom.xml",
        "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}")
    run("javac", "-cp", f"{folder / 'jars'}/*", "-d", folder / "classes", HERE / "java" / "PushyClient.java")


def node_version(package):
    return lambda: json.loads(
        (CACHE / "node" / "node_modules" / package / "package.json").read_text())["version"]


def python_version(package):
    return lambda: run(CACHE / "python" / "bin" / "python", "-c",
                       f"import importlib.metadata as m; print(m.version('{package}'))").strip()


def go_version(module):
    return lambda: run("go", "list", "-m", "-f", "{{.Version}}", module, cwd=HERE / "go",
                       env={**os.environ, **GO}).strip().lstrip("v")


def java_version(artifact):
    return lambda: next((CACHE / "java" / "jars").glob(f"{artifact}-*.jar")).stem.split("-", 1)[1]


APNS_SAID = {"good": "accepted", "rejected": "BadDeviceToken", "gone": "Unregistered"}
NODE_FCM_SAID = {"good": "accepted", "rejected": "invalid-argument",
                 "gone": "registration-token-not-registered"}
GO_FCM_SAID = {"good": "accepted", "rejected": "invalid-argument", "gone": "unregistered"}
PYTHON = CACHE / "python" / "bin" / "python"
CLIENTS = [
    Client("node-apn", "apns", install_node, node_version("@parse/node-apn"),
           ["node", HERE / "node" / "node_apn.js"], APNS_SAID),
    Client("firebase-admin (Node)", "fcm", install_node, node_version("firebase-admin"),
           ["node", HERE / "node" / "firebase_admin.js"], NODE_FCM_SAID, pushes=2),
    Client("firebase-admin-go", "fcm", install_go, go_version("firebase.google.com/go/v4"),
           [CACHE / "go" / "bin" / "firebase_admin"], GO_FCM_SAID),
    Client("aioapns", "apns", install_python, python_version("aioapns"),
           [PYTHON, HERE / "python" / "aioapns_client.py"], APNS_SAID),
    Client("httpx", "apns", install_python, python_version("httpx"),
           [PYTHON, HERE / "python" / "httpx_client.py"], APNS_SAID),
    Client("apns2", "apns", install_go, go_version("github.com/sideshow/apns2"),
           [CACHE / "go" / "bin" / "apns2"], APNS_SAID),
    Client("pushy", "apns", install_java, java_version("pushy"),
           ["java", "-cp", f"{CACHE / 'java' / 'jars'}/*:{CACHE / 'java' / 'classes'}", "PushyClient"],
           APNS_SAID),
]


# --- running: inside a network of its own --------------------------------------------------------------

def prepare_network(directory, names):
    """Brings the loopback up, and makes /etc/hosts name this machine. In new namespaces only."""
    up, running, get_flags, set_flags = 0x1, 0x40, 0x8913, 0x8914
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(any_socket, get_flags, request))[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sH14x", b"lo", flags | up | running))
    hosts = directory / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {' '.join(names)}\n")
    run("mount", "--bind", hosts, "/etc/hosts")


def is_gone(token):
    """text_hash.hpp has the recipe."""
    data = token.encode()
    h = len(data)
    for at in range(0, len(data), 8):
        h = (h ^ int.from_bytes(data[at:at + 8], "little")) * 0x9E3779B97F4A7C15 % 2 ** 64
        h ^= h >> 32
    h = h * 0xD6E8FEB86659FD93 % 2 ** 64
    h ^= h >> 32
    return (h >> 11) / 2 ** 53 < 0.5


def make_tokens(provider):
    made = [f"{n:064x}" if provider == "apns" else f"registration:APA91b{n:024d}" for n in range(100)]
    return {"GOOD": next(token for token in made if not is_gone(token)), "REJECTED": REJECTED[provider],
            "GONE": next(token for token in made if is_gone(token))}


def run_inside(client):
    """What the client said of its three pushes, and whether the simulator saw them, else an error."""
    directory = fresh_directory("clients")
    names = HOSTS[client.provider]
    prepare_network(directory, names)
    simulator = Simulator(directory, [f"--{client.provider}-port", "443", "--names", ",".join(names)])
    try:
        simulator.faults({client.provider: FAULTS[client.provider]})
        tls = pathlib.Path(simulator.info["tls_dir"])
        ca = str(tls / "ca.pem")
        # Each runtime's own way to trust a root.
        store = str(directory / "trust.p12")
        if client.name == "pushy":
            run("keytool", "-importcert", "-noprompt", "-alias", "simulator", "-file", ca, "-keystore", store,
                "-storetype", "PKCS12", "-storepass", "simulator")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
            **make_tokens(client.provider),
            "NODE_PATH": str(CACHE / "node" / "node_modules"), "NODE_EXTRA_CA_CERTS": ca,
            "SSL_CERT_FILE": ca, "SSL_CERT_DIR": str(directory),
            "JAVA_TOOL_OPTIONS": f"-Djavax.net.ssl.trustStore={store} -Djavax.net.ssl.trustStorePassword=simulator",
            "APNS_KEY": str(tls / "apns-key.p8"), "APNS_KEY_ID": simulator.info["apns_key_id"],
            "APNS_TEAM_ID": simulator.info["apns_team_id"], "APNS_TOPIC": simulator.info["bundle"],
            "SERVICE_ACCOUNT": simulator.info["service_account"],
        }
        try:
            done = subprocess.run([str(part) for part in client.command], env=environment, text=True,
                                  capture_output=True, timeout=TIME_LIMIT_S)
        except subprocess.TimeoutExpired:
            return f"did not end within {TIME_LIMIT_S} s\n{log_of(directory)}"
        try:
            said = json.loads(done.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            return f"{(done.stdout + done.stderr).strip()[-2000:]}\n{log_of(directory)}"
        stats = simulator.stats()[client.provider]
        if said != client.said:
            return f"said {said}\n{log_of(directory)}"
        if (stats["accepted"], stats["rejected"]) != (client.pushes, 2 * client.pushes):
            return f"the simulator saw {stats}"
        return None
    finally:
        simulator.stop()
        shutil.rmtree(directory, ignore_errors=True)


def log_of(directory):
    return (directory / "simulator.log").read_text()[-2000:]


def run_client(client):
    """The version, and what went wrong or None."""
    client.install()
    version = client.version()
    done = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "--mount", sys.executable,
                           __file__, "--inside", client.name], text=True, capture_output=True)
    if done.returncode == 0:
        return version, None
    return version, (done.stdout + done.stderr).strip()


def main():
    parser = argparse.ArgumentParser(prog="./dev clients", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="CLIENT", help="only these: "
                        + ", ".join(client.name for client in CLIENTS))
    parser.add_argument("--inside", metavar="CLIENT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside:
        problem = run_inside(next(client for client in CLIENTS if client.name == options.inside))
        if problem:
            sys.exit(problem)
        return
    unknown = set(options.names) - {client.name for client in CLIENTS}
    if unknown:
        parser.error(f"no client is named {', '.join(sorted(unknown))}")
    failed = False
    print(f"{'client':<23}| {'version':<9}| result")
    for client in CLIENTS:
        if options.names and client.name not in options.names:
            continue
        version, problem = "?", None
        try:
            version, problem = run_client(client)
        except (LaunchError, OSError) as error:
            problem = str(error)
        failed = failed or problem is not None
        print(f"{client.name:<23}| {version:<9}| {'ok' if problem is None else 'FAILED'}", flush=True)
        if problem is not None:
            print("  " + problem.replace("\n", "\n  "), file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
