"""./dev soak: every seed of the crash test at full size, every bad day, new seeds for the tests that
take one, what others make of the API's document, and the whole suite, its properties with new cases,
also under sanitizers, the adapters' threads under the one for threads. Writes its report to build/soak-report.md and says where."""

import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
# The tests that take a seed; elsewhere they always have the same.
SEEDED = "every_account_closes/1$|any_mix_of_faults|survives_mutated_requests|what_each_device_gets"
# The tests of what has threads beside the actors'.
THREADED = "^(adapters/(http|http2|apns|fcm|store)|contract)/"

LARGE = {
    "a replay of 50 letters of a topic of 7,000,000, leases of 1 s": "replay_of_a_few(7_000_000)",
    "long reads of 7,000,000 letters and 7,000,000 receipts": "long_reads(7_000_000, 7_000_000)",
}


def run(command, log, **environment):
    start = time.monotonic()
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=TOP,
                            env={**os.environ, **environment})
    log.write(f"$ {' '.join(map(str, command))}\n{result.stdout}\n")
    log.flush()
    return result.returncode, result.stdout, time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--activity-seeds", type=int, default=50, help="(default: %(default)s)")
    parser.add_argument("--new-seeds", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--devices", type=int, default=50_000, help="(default: %(default)s)")
    options = parser.parse_args()

    failed = []
    lines = ["# Soak report", ""]
    log_path = TOP / "build" / "soak.log"
    with open(log_path, "w") as log:
        lines += ["## kill -9", "", "| seed | kills | jobs | targets | lost | duplicates | bound | s |",
                  "|---|---|---|---|---|---|---|---|"]
        for seed in range(1, options.seeds + 1):
            print(f"kill -9, seed {seed}", flush=True)
            code, text, seconds = run([sys.executable, "tests/crash/kill9.py", "--seed", str(seed), "--kills", "12",
                                       "--devices", str(options.devices)], log)
            if code:
                failed.append(f"kill9 seed {seed}")
                lines.append(f"| {seed} | FAILED |")
                continue
            result = json.loads(next(line for line in text.splitlines() if line.startswith("{")).rsplit(" in ", 1)[0])
            lines.append("| " + " | ".join(str(result[key]) for key in (
                "seed", "kills", "jobs", "targets", "lost", "duplicates", "bound")) + f" | {seconds:.0f} |")
        lines += ["", "## Large stores", ""]
        for name, call in LARGE.items():
            print(name, flush=True)
            code, _, seconds = run([sys.executable, "-c", f"import store_days; store_days.{call}"], log,
                                   PYTHONPATH=str(TOP / "tests" / "crash"))
            if code:
                failed.append(name)
            lines.append(f"- {name}: {'FAILED' if code else f'{seconds:.0f} s'}")
        lines += ["", "## Live Activities, random interleavings", "",
                  "| seed | dispatches | superseded | requests | devices checked | out of order | s |",
                  "|---|---|---|---|---|---|---|"]
        for seed in range(1, options.activity_seeds + 1):
            print(f"Live Activities, seed {seed}", flush=True)
            code, text, seconds = run([sys.executable, "tests/crash/activity_property.py", "--seed", str(seed),
                                       "--steps", "300"], log)
            if code:
                failed.append(f"activity_property seed {seed}")
                lines.append(f"| {seed} | FAILED |")
                continue
            result = json.loads(next(line for line in text.splitlines() if line.startswith("{")).rsplit(" in ", 1)[0])
            lines.append("| " + " | ".join(str(result[key]) for key in (
                "seed", "dispatches", "superseded", "requests", "devices_checked", "out_of_order"))
                + f" | {seconds:.0f} |")
        for _ in range(options.new_seeds):
            seed = random.randrange(1, 2**31)
            print(f"faults inside the node and of connections, seed {seed}", flush=True)
            if run(["ctest", "--test-dir", "build/release", "--output-on-failure", "-j2", "-R", SEEDED], log,
                   SIGNALBOX_SEED=str(seed))[0]:
                failed.append(f"SIGNALBOX_SEED={seed}")
        lines += ["", f"Faults inside the node and of connections: {options.new_seeds} new seeds"]
        lines += ["", "## The API's document", ""]
        fuzz_seed = random.randrange(1, 2**31)
        for what, *command in (("redocly and spectral", "lint.py"),
                               ("generated clients of TypeScript and Python", "generated_clients.py"),
                               (f"schemathesis, seed {fuzz_seed}", "fuzz.py", "--seed", str(fuzz_seed), "--examples", "300")):
            print(what, flush=True)
            code, _, seconds = run([sys.executable, f"tests/openapi/{command[0]}", *command[1:]], log)
            lines.append(f"- {what}: {'FAILED' if code else f'passed in {seconds:.0f} s'}")
            if code:
                failed.append(what)
        for preset in ("release", "asan"):
            print(f"the whole suite, {preset}", flush=True)
            code, text, seconds = run(["ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "-j2"], log,
                                      RC_PARAMS="max_success=300")
            summary = next((line for line in text.splitlines() if "tests passed" in line), "no summary")
            lines += ["", f"## Whole suite, {preset}", "", f"{summary} in {seconds:.0f} s"]
            if code:
                failed.append(f"suite ({preset})")
        print("the adapters' threads, tsan", flush=True)
        code, text, seconds = run(["ctest", "--test-dir", "build/tsan", "--output-on-failure", "-j2", "-R", THREADED], log,
                                  TSAN_OPTIONS=f"suppressions={TOP / 'tests/support/tsan.supp'} halt_on_error=1")
        summary = next((line for line in text.splitlines() if "tests passed" in line), "no summary")
        lines += ["", "## The adapters' threads, thread sanitizer", "", f"{summary} in {seconds:.0f} s"]
        if code:
            failed.append("threads (tsan)")
    lines += ["", f"Result: {'FAILED: ' + ', '.join(failed) if failed else 'passed'}"]
    report = TOP / "build" / "soak-report.md"
    report.write_text("\n".join(lines) + "\n")
    print("\n".join(lines))
    print(f"\nreport: {report}\nlog: {log_path}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
