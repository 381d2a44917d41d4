"""schemathesis finds no answer of a running node that the API's document does not have."""

import argparse
import sys

from tools import CACHE, DOCUMENT, HERE, main, python_tool, run

from scenario import stage

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
parser.add_argument("--examples", type=int, default=100, help="for each operation (default: %(default)s)")


def fuzz():
    options = parser.parse_args()
    tool = python_tool("schemathesis")
    with stage() as (node, _):
        run(tool, "--config-file", HERE / "schemathesis.toml", "run", DOCUMENT, "--url", node.url,
            "--seed", options.seed, "--max-examples", options.examples, "--continue-on-failure",
            "--generation-database", "none", "--no-color", cwd=CACHE, PYTHONPATH=str(HERE))


if __name__ == "__main__":
    sys.exit(main(fuzz))
