"""Rows a second through the batcher, beside a plain loop of prepared inserts on the same database."""

import subprocess

import measure  # noqa: F401 (finds the launcher)

from launcher import BIN


def run(quick):
    subprocess.run([str(BIN / "batcher_bench"), str(100_000 if quick else 1_000_000)], check=True)
