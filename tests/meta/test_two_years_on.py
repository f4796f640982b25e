"""No test may pass or fail because of the day on which it runs: the suite is run with a clock two years ahead."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
DAYS = 731
# What reads dates: the language and its checks, the interpreter, and all that the command line prints.
QUICK = ("tests/checks", "tests/unit/compiler/cli", "tests/unit/compiler/semantics", "tests/unit/dsl", "tests/golden")


def _two_years_on(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(PROJECT / "tests/meta/clock"),
        "MESHPROOF_CLOCK_DAYS": str(DAYS),
    }
    environment.pop("PYTEST_XDIST_WORKER", None)
    return subprocess.run(
        [sys.executable, *command], cwd=PROJECT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_shifted_clock_is_two_years_ahead_in_every_way_to_ask() -> None:
    program = (
        "import datetime as d, time, zoneinfo\n"
        "print(d.date.today(), d.datetime.now(d.UTC).date(), time.strftime('%Y-%m-%d', time.gmtime(time.time())))"
    )
    earliest = datetime.now(UTC) + timedelta(days=DAYS, minutes=-5)

    printed = _two_years_on("-c", program).stdout.split()

    assert len(printed) == 3
    assert all(day >= (earliest - timedelta(days=1)).date().isoformat() for day in printed)


def _passes(folders: tuple[str, ...], *options: str) -> bool:
    done = _two_years_on(
        "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-n", "0",
        "-m", "not slow and not e2e and not oracle", *options, *folders,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
    return " passed" in done.stdout


def test_what_reads_dates_passes_two_years_on() -> None:
    assert _passes(tuple(folder for folder in QUICK if (PROJECT / folder).is_dir()))


@pytest.mark.slow
def test_the_whole_fast_lane_passes_two_years_on() -> None:
    assert _passes(("tests",), "--ignore=tests/meta")
