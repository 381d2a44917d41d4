"""The demo as people run it, on small sizes: demo_days.py SCENARIO."""

import os
import subprocess
import sys
import tempfile

from scenario import check, run_chosen

from launcher import BIN, TOP


def the_demo_once():
    """Both lanes and both providers; it judges itself by its exit status."""
    with tempfile.TemporaryDirectory(prefix="signalbox-demo-test.") as directory:
        demo = subprocess.run(
            [sys.executable, str(TOP / "runtime" / "tools" / "demo.py"), "--once", "--tokens", "5000",
             "--phones", "10", "--updates", "8"],
            env={**os.environ, "PROGRAMS_UNDER_TEST": str(BIN), "TMPDIR": directory},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    check(demo.returncode == 0, f"status {demo.returncode}:\n{demo.stdout}")
    for line in ("The account closes.", "8 of 8 iPhones got the end last.",
                 "2 of 2 Android phones got the end last.", "Its account closes."):
        check(line in demo.stdout, f"it does not say {line!r}:\n{demo.stdout}")


if __name__ == "__main__":
    sys.exit(run_chosen(sys.modules[__name__]))
