#!/usr/bin/env python3
"""How many small mistakes do the tests catch? All of mutants.toml are written into a copy of the tree
at once, each as a choice that the variable MISTAKE makes at run time, so that one build does for all.
Then the tests run with one mistake after the other, the nearest first, until one fails: the test
programs of the mistake's folder, and with --days the end-to-end scenarios that belong to it. A test
counts only if it fails again, alone, and not without the mistake. Exits with 1 if fewer than --least
per cent are caught."""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
import tomllib

TOP = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).with_suffix(".toml")

# The test programs that look at a folder, the nearest first, and the scenarios of its days.
PROGRAMS = {
    "actors": ["actors_test"],
    "adapters/apns": ["apns_test"],
    "adapters/fcm": ["fcm_test"],
    "adapters/http": ["http_test"],
    "adapters/http2": ["http2_test", "apns_test", "fcm_test"],
    "adapters/payload": ["apns_test", "fcm_test", "http_test"],
    "adapters/store": ["store_test", "sqlite_test"],
    "messages": ["messages_test", "actors_test", "store_test"],
    "runtime": ["runtime_test"],
}
DAYS = {
    "actors": ["sweeper_days.py provider_outage", "bad_days.py mailboxes_of_1", "bad_days.py too_many_requests"],
    "adapters/apns": ["credential_days.py a_clock_that_was_three_hours_ahead"],
    "adapters/fcm": ["fcm_days.py access_tokens_are_revoked", "fcm_days.py a_mixed_job"],
    "adapters/http": ["wire_days.py slow_uploads_leave_room_for_others"],
    "adapters/http2": ["bad_days.py refused_streams", "bad_days.py goaway_every_1000"],
    "adapters/store": ["sweeper_days.py paused_in_a_fan_out", "activity_property.py --seed 1", "kill9.py --seed 1"],
}

CHOICE = """#ifndef MISTAKE
#include <cstdlib>
namespace mistakes {
inline int chosen() {
  static const int number = std::getenv("MISTAKE") ? std::atoi(std::getenv("MISTAKE")) : 0;
  return number;
}
} // namespace mistakes
#define MISTAKE(number) (mistakes::chosen() == number)
#endif
"""

# Comments, literals, and the macros of literals that stand between them.
TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"\(.*?\)"|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<macro>\bSIGNALBOX_[A-Z_]+\b)'
                   r"|\b\d[\w']*|'(?:\\.|[^'\\\n])+'", re.DOTALL)


@dataclasses.dataclass
class Mistake:
    number: int
    what: str
    file: str
    was: str
    becomes: str

    def folder(self, of):
        return next((of[name] for name in sorted(of, key=len, reverse=True)
                     if self.file.startswith(name + "/")), [])


def read_list():
    with open(LIST, "rb") as file:
        return [Mistake(number, **one) for number, one in enumerate(tomllib.load(file)["mistake"], 1)]


# --- writing --------------------------------------------------------------------------------------------


def literals_around(source, begin):
    """The neighbouring literals that make one text, if `begin` is inside of one."""
    run = None
    for token in TOKEN.finditer(source):
        if not token["text"] and not token["macro"]:
            run = None
            continue
        joined = run and not source[run[1]:token.start()].strip()
        run = (run[0] if joined else token.start(), token.end())
        if run[0] <= begin < run[1]:
            end = run[1]
            for more in TOKEN.finditer(source, end):
                if source[end:more.start()].strip() or not (more["text"] or more["macro"]):
                    break
                end = more.end()
            return run[0], end
    return None


def choice_of(source, mistake):
    """Where the choice goes, and its text."""
    if source.count(mistake.was) != 1:
        sys.exit(f"{mistake.file}: {source.count(mistake.was)} times, and not once: {mistake.was}")
    begin = source.index(mistake.was)
    end = begin + len(mistake.was)
    chosen = f"MISTAKE({mistake.number})"
    if around := literals_around(source, begin):
        right = source[around[0]:around[1]]
        wrong = source[around[0]:begin] + mistake.becomes + source[end:around[1]]
        return *around, f"({chosen} ? {wrong} : {right})"
    if mistake.was.endswith((";", "}")):
        return begin, end, f"{{ if ({chosen}) {{ {mistake.becomes} }} else {{ {mistake.was} }} }}"
    return begin, end, f"({chosen} ? ({mistake.becomes}) : ({mistake.was}))"


def with_choices(source, mistakes):
    places = sorted(choice_of(source, one) for one in mistakes)
    for (_, end, _), (begin, _, text) in zip(places, places[1:]):
        if begin < end:
            sys.exit(f"two mistakes overlap at {text}")
    for begin, end, text in reversed(places):
        source = source[:begin] + text + source[end:]
    return CHOICE + source


def write(tree, mistakes):
    """A copy of the working tree with all mistakes in it. Files that are as they were keep their times."""
    names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=TOP,
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    for name in filter(None, names):
        source = TOP / name
        target = tree / name
        if not source.is_file():
            target.unlink(missing_ok=True)
            continue
        content = source.read_bytes()
        if found := [one for one in mistakes if one.file == name]:
            content = with_choices(content.decode(), found).encode()
        if not target.is_file() or target.read_bytes() != content:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            shutil.copymode(source, target)


def build(tree, mistakes, days):
    wanted = {name for one in mistakes for name in one.folder(PROGRAMS)}
    if days:
        wanted |= {"signalboxd", "signalbox-sim", "stepped_clock"}
    if not (tree / "build/release/build.ninja").exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "build/release", "--target", *sorted(wanted)], cwd=tree, check=True)


# --- trying ---------------------------------------------------------------------------------------------


class Tests:
    """The test programs of a tree, and how long each takes when nothing is wrong."""

    def __init__(self, tree):
        self.tree = tree
        self.bin = tree / "build/release/bin"
        self.seconds = {}

    def run(self, command, number, limit):
        """The exit code and the output; the code is None if the time was up."""
        environment = {**os.environ, "MISTAKE": str(number), "PROGRAMS_UNDER_TEST": str(self.bin)}
        try:
            done = subprocess.run(command, cwd=self.tree, env=environment, timeout=limit, text=True, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            return None, (error.stdout or b"").decode(errors="replace")

    def program(self, name, number, only="*"):
        limit = 60 + 10 * self.seconds.get(name, 60)
        return self.run([self.bin / name, f"--gtest_filter={only}", "--gtest_fail_fast", "--gtest_brief=0"],
                        number, limit)

    def must_pass(self, names):
        for name in names:
            start = time.monotonic()
            code, output = self.program(name, 0)
            self.seconds[name] = time.monotonic() - start
            if code != 0:
                sys.exit(f"{name} fails without a mistake:\n{output.split('[  SKIPPED ]')[0][-3000:]}")
            print(f"{name} passes without a mistake ({self.seconds[name]:.1f} s)", flush=True)

    def nearest(self, mistake, name):
        """The tests of the file that is called like the mistake's, as a filter."""
        stem = pathlib.Path(mistake.file).stem
        tests = []
        for file in (self.tree / "tests").rglob(f"{stem}_test.cpp"):
            for suite, test in re.findall(r"^(?:TEST\w*|RC_GTEST\w*)\((\w+),\s*(\w+)", file.read_text(), re.M):
                tests.append(f"*{suite}.{test}*")
        return ":".join(tests)

    def failing(self, mistake, name):
        """The test of a program that catches the mistake; nothing if none does."""
        passed_over = []
        near = self.nearest(mistake, name)
        for only in filter(None, [near, "*"]):
            while True:
                left = only + ("-" + ":".join(passed_over) if passed_over else "")
                code, output = self.program(name, mistake.number, left)
                if code == 0:
                    break
                begun = re.findall(r"^\[ RUN +\] (\S+)", output, re.M)
                if not begun:
                    return f"{name} ends with {code}"
                if code is None:
                    return f"{name} {begun[-1]} (it hangs)"
                again, _ = self.program(name, mistake.number, begun[-1])
                without, _ = self.program(name, 0, begun[-1])
                if again != 0 and without == 0:
                    return f"{name} {begun[-1]}"
                passed_over.append(begun[-1]) # by chance
        return None

    def scenario(self, words, number):
        return self.run([sys.executable, *f"tests/crash/{words}".split()], number, 600)[0]

    def catching(self, mistake, days):
        for name in mistake.folder(PROGRAMS):
            if test := self.failing(mistake, name):
                return test
        for words in mistake.folder(DAYS) if days else []:
            if self.scenario(words, mistake.number) != 0 and self.scenario(words, mistake.number) != 0 and \
                    self.scenario(words, 0) == 0:
                return words
        return None


def try_all(tree, mistakes, days, jobs):
    """The mistakes that nothing catches."""
    tests = Tests(tree)
    tests.must_pass(sorted({name for one in mistakes for name in one.folder(PROGRAMS)}))
    survivors = []

    def attempt(one):
        start = time.monotonic()
        test = tests.catching(one, days)
        print(f"{one.number:4} {'caught  ' if test else 'SURVIVES'} {one.file}: {one.what}"
              f"{f' | {test}' if test else ''} ({time.monotonic() - start:.1f} s)", flush=True)
        if not test:
            survivors.append(one)

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        list(pool.map(attempt, mistakes))
    return sorted(survivors, key=lambda one: one.number)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("step", nargs="?", choices=["write", "build", "try", "all"], default="all")
    parser.add_argument("--tree", type=pathlib.Path, default=TOP / "build/mutants", help="where the copy lies")
    parser.add_argument("--only", type=lambda text: {int(word) for word in text.split(",")},
                        help="numbers of those to try, with commas")
    parser.add_argument("--days", action="store_true", help="end-to-end scenarios, too")
    parser.add_argument("--jobs", type=int, default=1, help="mistakes that are tried at a time")
    parser.add_argument("--least", type=float, default=95, help="per cent")
    options = parser.parse_args()

    mistakes = read_list()
    if options.step in ("write", "all"):
        write(options.tree, mistakes)
    if options.step in ("build", "all"):
        build(options.tree, mistakes, options.days)
    if options.step not in ("try", "all"):
        return 0
    wanted = [one for one in mistakes if not options.only or one.number in options.only]
    survivors = try_all(options.tree.resolve(), wanted, options.days, options.jobs)
    for one in survivors:
        print(f"\n{one.number}: {one.what}\n{one.file}\n- {one.was}\n+ {one.becomes}")
    share = 100 * (len(wanted) - len(survivors)) / len(wanted)
    print(f"\n{len(wanted) - len(survivors)} of {len(wanted)} caught, {share:.1f} %")
    return 0 if share >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
