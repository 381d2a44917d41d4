"""./dev run: a simulator and a node, until Ctrl-C."""

import argparse
import pathlib
import sys
import time

from launcher import (LaunchError, Node, Simulator, claim_directory, fresh_directory, info_of,
                      stop_on_signals, write_json)


def main():
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__)
    parser.add_argument("--dir", help="keep the data here, or go on with what is there")
    parser.add_argument("--info-file", help="where URLs, pids and paths are written as JSON once ready")
    parser.add_argument("--postgres", action="store_true", help="not available yet")
    parser.add_argument("--nodes", type=int, default=1, help="only 1 for now")
    options = parser.parse_args()
    if options.postgres or options.nodes != 1:
        parser.error("the PostgreSQL store and several nodes are not available yet")

    directory = pathlib.Path(options.dir).resolve() if options.dir else fresh_directory("run")
    stop_on_signals()
    lock = simulator = node = None
    status = 0
    try:
        lock = claim_directory(directory)
        simulator = Simulator(directory)
        node = Node(directory, simulator).start()
        if options.info_file:
            write_json(options.info_file, info_of(node, simulator))
        print(f"node       {node.url}\nsimulator  {simulator.info['admin']}/stats\n"
              f"directory  {directory}\nCtrl-C stops both.", flush=True)
        while node.process.poll() is None and simulator.process.poll() is None:
            time.sleep(0.2)
        ended = "node" if node.process.poll() is not None else "simulator"
        print(f"the {ended} ended by itself; its log is in {directory}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print("stopping", file=sys.stderr)
    except (LaunchError, OSError) as error:
        print(f"dev run: {error}", file=sys.stderr)
        status = 1
    finally:
        if node and node.process:
            node.stop()
        if simulator:
            simulator.stop()
        if lock:
            lock.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
