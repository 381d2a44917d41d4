"""redocly and spectral find nothing in the API's document."""

import sys

from tools import DOCUMENT, HERE, main, node_tool, run


def lint():
    run(node_tool("redocly"), "lint", DOCUMENT, cwd=HERE)
    run(node_tool("spectral"), "lint", "--ruleset", HERE / "spectral.yaml", "--fail-severity", "warn", DOCUMENT)


if __name__ == "__main__":
    sys.exit(main(lint))
