"""What the tests of the API's document need from npm and PyPI: the versions that package-lock.json and
requirements.txt name, installed once under .cache/openapi."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
CACHE = TOP / ".cache" / "openapi"
DOCUMENT = TOP / "docs" / "openapi.yaml"
NODE = CACHE / "node"
PYTHON = CACHE / "python"

sys.path[:0] = [str(TOP / "tests" / "crash"), str(TOP / "runtime" / "tools")]

# No tool asks the network for anything, and nodes of this machine are not asked through a proxy.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_PROXY": "*"}


class ToolFailed(Exception):
    pass


def run(*command, cwd=None, **environment):
    """Prints what the command says, and fails with it."""
    print(f"$ {' '.join(str(part) for part in command)}", flush=True)
    result = subprocess.run([str(part) for part in command], cwd=cwd, env={**os.environ, **QUIET, **environment})
    if result.returncode:
        raise ToolFailed(f"{command[0]} ended with status {result.returncode}")


def _installed(directory, files, install):
    """Calls `install` when `directory` was not made from these `files`."""
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in files)).hexdigest()
    mark = directory / "installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    install()
    mark.write_text(wanted)


def node_tool(name):
    """A program of package.json."""
    files = ("package.json", "package-lock.json", ".npmrc")

    def install():
        for file in files:
            shutil.copy(HERE / file, NODE)
        run("npm", "ci", cwd=NODE)

    _installed(NODE, files, install)
    return NODE / "node_modules" / ".bin" / name


def python_tool(name):
    """A program of requirements.txt."""

    def install():
        run(sys.executable, "-m", "venv", PYTHON)
        run(PYTHON / "bin" / "pip", "install", "--quiet", "--no-deps", "--requirement", HERE / "requirements.txt")

    _installed(PYTHON, ("requirements.txt",), install)
    return PYTHON / "bin" / name


def main(test):
    """Runs `test` as a program."""
    try:
        test()
    except ToolFailed as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    return 0
