"""./dev run as people start it: run_days.py SCENARIO."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from scenario import check, run_chosen

from launcher import BIN, TOP, request


@contextlib.contextmanager
def started(*options):
    run = subprocess.Popen([sys.executable, str(TOP / "runtime" / "tools" / "run.py"), *options],
                           env={**os.environ, "PROGRAMS_UNDER_TEST": str(BIN)},
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield run
    finally:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)
        run.communicate(timeout=60)


def read_when_there(path):
    end = time.monotonic() + 60
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.05)
    return json.loads(path.read_text())


def ended(run):
    output, _ = run.communicate(timeout=60)
    return run.returncode, output


def a_second_run_in_a_directory_leaves_the_first_alone():
    with tempfile.TemporaryDirectory(prefix="signalbox-run-test.") as directory:
        info_file = pathlib.Path(directory) / "info.json"
        with started(f"--dir={directory}/data", f"--info-file={info_file}"):
            info = read_when_there(info_file)
            files = [pathlib.Path(info["config"]),
                     pathlib.Path(info["dir"]) / "tls" / "service-account.json"]
            before = [file.read_text() for file in files]
            with started(f"--dir={directory}/data") as second:
                status, output = ended(second)
            check(status == 1, f"status {status}: {output}")
            check("another ./dev run" in output, output)
            check([file.read_text() for file in files] == before, "it wrote over the first one's files")
            check(request("GET", info["http"] + "/v1/ping")[0] == 200, "the first one is gone")
        with started(f"--dir={directory}/data", f"--info-file={directory}/again.json"):
            read_when_there(pathlib.Path(directory) / "again.json")


def what_cannot_be_written_is_said():
    with tempfile.TemporaryDirectory(prefix="signalbox-run-test.") as directory:
        for options in (["--dir=/dev/null/data"],
                        [f"--dir={directory}/data", f"--info-file={directory}/none/info.json"]):
            with started(*options) as run:
                status, output = ended(run)
            check(status == 1, f"{options}: status {status}: {output}")
            check("dev run: " in output and "Traceback" not in output, f"{options}: {output}")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
