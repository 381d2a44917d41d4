"""./dev bench [NAME]: measurements as ratios against a peer in the same run. See bench/README.md."""

import argparse
import sys

import batcher
import beside
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
    parser.add_argument("name", nargs="?", choices=sorted([*ALL, "beside"]))
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--other", help="with beside: the folder of another build's programs")
    parser.add_argument("--what", help=f"with beside: some of {','.join(beside.ALL)} (default: all)")
    options = parser.parse_args()
    print(f"machine: {machine()}")
    if options.name == "beside":
        beside.run(options.quick, options.other, options.what)
        return 0
    for name, run in ALL.items():
        if options.name in (None, name):
            print(f"\n== {name}", flush=True)
            run(options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
