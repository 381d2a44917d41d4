"""A TypeScript and a Python client are generated from the API's document, type-checked, and do the
README's first push, a Live Activity and a cancel against a running node."""

import shutil
import sys

from tools import CACHE, DOCUMENT, HERE, NODE, PYTHON, main, node_tool, python_tool, run

from scenario import stage


def typescript():
    """The program that the client of TypeScript makes."""
    generate, compile_ = node_tool("openapi-typescript"), node_tool("tsc")
    place = NODE / "client"  # beside node_modules, where imports are looked for
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    run(generate, DOCUMENT, "--output", place / "api.ts")
    for file in ("first_push.ts", "tsconfig.json", "package.json"):
        shutil.copy(HERE / file, place)
    run(compile_, "--project", place)
    return ["node", place / "first_push.js"]


def python():
    """The same of Python, which uses the folder that it is in."""
    generate, check = python_tool("openapi-python-client"), python_tool("mypy")
    place = CACHE / "client"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    run(generate, "generate", "--path", DOCUMENT, "--meta", "none", "--output-path", place / "signalbox_client",
        cwd=place)
    (place / "signalbox_client" / "py.typed").touch()
    shutil.copy(HERE / "first_push.py", place)
    run(check, "--strict", "--cache-dir", CACHE / "mypy", "first_push.py", cwd=place)
    return [PYTHON / "bin" / "python", place / "first_push.py"]


def generated_clients():
    programs = [typescript(), python()]
    with stage() as (node, _):
        for program in programs:
            run(*program, node.url)


if __name__ == "__main__":
    sys.exit(main(generated_clients))
