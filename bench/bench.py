"""./dev bench [NAME]: measurements as ratios against a peer in the same run. See bench/README.md."""

import argparse
import sys

import batcher
import fanout
import fcm
import idle
import ingest
import isolation
import latency
import outage
import providers
import retry
from measure import machine

ALL = {"fanout": fanout.run, "ingest": ingest.run, "latency": latency.run, "idle": idle.run,
       "batcher": batcher.run, "fcm": fcm.run, "retry": retry.run,
       "outage": outage.run, "isolation": isolation.run, "providers": providers.run}


def main():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(ALL))
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    options = parser.parse_args()
    print(f"machine: {machine()}")
    for name, run in ALL.items():
        if options.name in (None, name):
            print(f"\n== {name}", flush=True)
            run(options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
