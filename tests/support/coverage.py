"""./dev coverage [FILTER]: which lines of the tree the tests reach. Prints a table by folder; the report line by line
is build/coverage/report/index.html. Needs build/coverage."""

import collections
import json
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / "build" / "coverage"


def main():
    for counts in BUILD.rglob("*.gcda"):
        counts.unlink()
    tests = subprocess.run(["ctest", "--test-dir", BUILD, "--output-on-failure", "-j2", *(["-R", sys.argv[1]] if sys.argv[1:] else [])])
    report = BUILD / "report"
    report.mkdir(exist_ok=True)
    summary = report / "summary.json"
    subprocess.run(["gcovr", "--root", TOP, "--filter", "(messages|actors|adapters|runtime)/", "--object-directory", BUILD,
                    "--gcov-ignore-parse-errors", "--exclude-throw-branches", "--json-summary", summary,
                    "--html-details", report / "index.html", BUILD], check=True, cwd=TOP)
    folders = collections.defaultdict(lambda: [0, 0])
    for file in json.loads(summary.read_text())["files"]:
        for folder in (str(pathlib.Path(file["filename"]).parent), "all"):
            folders[folder][0] += file["line_covered"]
            folders[folder][1] += file["line_total"]
    print(f"{'folder':<28} {'lines':>7} {'reached':>8}")
    for folder, (reached, lines) in sorted(folders.items()):
        print(f"{folder:<28} {lines:>7,} {reached / max(lines, 1):>8.1%}")
    print(f"line by line: {report / 'index.html'}")
    return tests.returncode


if __name__ == "__main__":
    sys.exit(main())
