#!/usr/bin/env python3
"""How many small mistakes do the tests catch? All of mutants.toml are written into a copy of the tree
at once, each as a choice that the variable MISTAKE makes at run time, so that one build does for all.
Every test runs once without a mistake, and says which ones it would have met. Then, for one mistake
after the other, those run that meet it, the nearest first, until one fails; with --days also the
end-to-end scenarios of the mistake's folder. A failure counts only if it comes again, alone, and not
without the mistake. Exits with 1 if fewer than --least per cent are caught."""

import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
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

# Which of them a test reaches at all is noted in MISTAKES_REACHED.
CHOICE = """#ifndef MISTAKE
#include <atomic>
#include <cstdio>
#include <cstdlib>
namespace mistakes {
inline bool is(int number) {
  static const int chosen = std::getenv("MISTAKE") ? std::atoi(std::getenv("MISTAKE")) : 0;
  static const char* const name = std::getenv("MISTAKES_REACHED");
  static std::FILE* const reached = name ? std::fopen(name, "a") : nullptr;
  static std::atomic<bool> noted[10'000];
  if (reached && !noted[number].exchange(true)) {
    std::fprintf(reached, "%d\\n", number);
    std::fflush(reached);
  }
  return number == chosen;
}
} // namespace mistakes
#define MISTAKE(number) mistakes::is(number)
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


def build(tree, mistakes, days, preset):
    wanted = {name for one in mistakes for name in one.folder(PROGRAMS)}
    if days:
        wanted |= {"signalboxd", "signalbox-sim", "stepped_clock"}
    if not (tree / "build" / preset / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", preset], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", f"build/{preset}", "--target", *sorted(wanted)], cwd=tree, check=True)


# --- trying ---------------------------------------------------------------------------------------------


@dataclasses.dataclass
class Test:
    program: str
    name: str
    seconds: float
    reaches: list


class Tests:
    """The tests of a tree."""

    def __init__(self, tree, jobs, preset):
        self.tree = tree
        self.bin = tree / "build" / preset / "bin"
        self.jobs = jobs
        self.all = []

    def run(self, command, limit, **environment):
        """The exit code and the output; the code is None if the time was up."""
        environment = {**os.environ, "PROGRAMS_UNDER_TEST": str(self.bin), **environment}
        try:
            done = subprocess.run(command, cwd=self.tree, env=environment, timeout=limit, text=True, errors="replace",
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode, done.stdout
        except subprocess.TimeoutExpired as error:
            return None, (error.stdout or b"").decode(errors="replace")

    def program(self, tests, mistake, **environment):
        limit = 60 + 10 * sum(one.seconds for one in tests)
        names = ":".join(one.name for one in tests)
        return self.run([self.bin / tests[0].program, f"--gtest_filter={names}", "--gtest_fail_fast"], limit,
                        MISTAKE=str(mistake), **environment)

    def look_at(self, programs):
        """Runs every test alone: how long it takes, and which mistakes it could meet."""
        for program in programs:
            known = self.bin / f"{program}.reached.json"
            if known.exists() and known.stat().st_mtime > (self.bin / program).stat().st_mtime:
                self.all += [Test(**one) for one in json.loads(known.read_text())]
                continue
            with concurrent.futures.ThreadPoolExecutor(self.jobs) as pool:
                tests = list(pool.map(self.reached_by, self.names_in(program)))
            known.write_text(json.dumps([dataclasses.asdict(one) for one in tests]))
            self.all += tests
            print(f"{program}: {len(tests)} tests pass without a mistake", flush=True)

    def names_in(self, program):
        suite = ""
        for line in self.run([self.bin / program, "--gtest_list_tests"], 60)[1].splitlines():
            name = line.split("#")[0].strip()
            if name.endswith("."):
                suite = name
            elif line.startswith("  "):
                yield Test(program, suite + name, 60, [])

    def reached_by(self, test):
        with tempfile.NamedTemporaryFile("r") as reached:
            start = time.monotonic()
            code, output = self.program([test], 0, MISTAKES_REACHED=reached.name)
            if code != 0 and self.program([test], 0)[0] != 0:
                sys.exit(f"{test.program} {test.name} fails without a mistake:\n{output}")
            return Test(test.program, test.name, time.monotonic() - start, [int(line) for line in reached])

    def caught_in(self, tests, mistake):
        """The test of these that fails by the mistake."""
        tests = list(tests)
        while tests:
            code, output = self.program(tests, mistake)
            if code == 0:
                return None
            # Whoever crashes or hangs has begun last.
            name = (re.findall(r"^\[  FAILED  \] ([^\s,]+)", output, re.M) or
                    re.findall(r"^\[ RUN +\] (\S+)", output, re.M)[-1:] or [tests[0].name])[0]
            failed = next(one for one in tests if one.name == name)
            if self.program([failed], mistake)[0] != 0 and self.program([failed], 0)[0] == 0:
                return f"{name}{' (it hangs)' if code is None else ''}"
            tests.remove(failed) # by chance
        return None

    def catching(self, mistake, days):
        stem = pathlib.Path(mistake.file).stem
        near = {name for file in (self.tree / "tests").rglob(f"{stem}_test.cpp")
                for name in re.findall(r"^(?:TEST\w*|RC_GTEST\w*)\(\w+,\s*(\w+)", file.read_text(), re.M)}
        tests = sorted((one for one in self.all if mistake.number in one.reaches),
                       key=lambda one: (one.name.split(".")[1].split("/")[0] not in near, one.seconds))
        for program in mistake.folder(PROGRAMS):
            # A few seconds' worth at first.
            batch = []
            for one in tests:
                if one.program != program:
                    continue
                batch.append(one)
                if sum(each.seconds for each in batch) > 3:
                    if test := self.caught_in(batch, mistake.number):
                        return test
                    batch = []
            if test := self.caught_in(batch, mistake.number):
                return test
        for words in mistake.folder(DAYS) if days else []:
            if all(self.scenario(words, mistake.number) != 0 for _ in range(2)) and self.scenario(words, 0) == 0:
                return words
        return None

    def scenario(self, words, mistake):
        return self.run([sys.executable, *f"tests/crash/{words}".split()], 600, MISTAKE=str(mistake))[0]


def try_all(tree, mistakes, days, jobs, preset):
    """The mistakes that nothing catches."""
    tests = Tests(tree, jobs, preset)
    tests.look_at(sorted({name for one in mistakes for name in one.folder(PROGRAMS)}))
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
    parser.add_argument("--below", nargs="+", metavar="FOLDER", help="only mistakes of files in these folders")
    parser.add_argument("--preset", default="release", help="dev builds in half the time")
    parser.add_argument("--days", action="store_true", help="end-to-end scenarios, too")
    parser.add_argument("--jobs", type=int, default=1, help="mistakes that are tried at a time")
    parser.add_argument("--least", type=float, default=95, help="per cent")
    options = parser.parse_args()

    mistakes = [one for one in read_list()
                if not options.below or any(one.file.startswith(folder + "/") for folder in options.below)]
    if options.step in ("write", "all"):
        write(options.tree, mistakes)
    if options.step in ("build", "all"):
        build(options.tree, mistakes, options.days, options.preset)
    if options.step not in ("try", "all"):
        return 0
    wanted = [one for one in mistakes if not options.only or one.number in options.only]
    survivors = try_all(options.tree.resolve(), wanted, options.days, options.jobs, options.preset)
    for one in survivors:
        print(f"\n{one.number}: {one.what}\n{one.file}\n- {one.was}\n+ {one.becomes}")
    share = 100 * (len(wanted) - len(survivors)) / len(wanted)
    print(f"\n{len(wanted) - len(survivors)} of {len(wanted)} caught, {share:.1f} %")
    return 0 if share >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
