"""`meshproof-proxy verify-log`: whether a decision log is as it was written."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.runtime.cli.command import Command, refused

if TYPE_CHECKING:
    from meshproof.runtime.telemetry.verify_log import Broken, Whole

BROKEN = 1
"""The exit code of a log that is not as it was written."""

_SHORT = 12


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("log", type=Path, metavar="LOG", help="the `decision_log` of the settings; its parts are found")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the `decision_log_key` of the settings")
    said = "what an earlier `--output json` wrote: what it has seen must still be there"
    parser.add_argument("--since", type=Path, metavar="FILE", help=said)
    parser.add_argument("--part", action="store_true", help="lines of before may be missing: older parts were removed")
    parser.add_argument("--closed", action="store_true", help="each process must have ended in order")
    parser.add_argument("--output", choices=("text", "json"), default="text", help="how to tell (default: text)")


def _run(given: argparse.Namespace) -> int:
    from meshproof.compiler.ir.json_text import canonical  # noqa: PLC0415  `--help` waits for none of these
    from meshproof.runtime.telemetry.chained_key import KeyFileError, read_key  # noqa: PLC0415
    from meshproof.runtime.telemetry.chains import LogError, known_of, value_of, verify_chains  # noqa: PLC0415
    from meshproof.runtime.telemetry.verify_log import Broken  # noqa: PLC0415

    def judged(name: str, one: Whole | Broken) -> Whole | Broken:
        if isinstance(one, Broken):
            return one
        if one.first.number and name not in known and not given.part:
            return Broken(name, 1, f"lines 1 to {one.first.number} of the chain are missing")
        if one.lost and not given.part:
            begin, end = one.lost[0]
            return Broken(name, 0, f"lines {begin} to {end} were missing when its process started")
        if given.closed and not one.is_closed:
            return Broken(name, 0, "its process has not ended in order, or the end was cut off")
        return one

    try:
        known = {} if given.since is None else known_of(given.since)
        key = None if given.key is None else read_key(given.key)
        found = {name: judged(name, one) for name, one in verify_chains(given.log, key, known).items()}
    except (LogError, KeyFileError) as error:
        return refused(str(error))
    if not found:
        return refused(f"`{given.log}` is not there, or nothing was ever written to it")
    sys.stdout.write(canonical(value_of(found)).decode("ascii") if given.output == "json" else _text(found))
    return BROKEN if any(isinstance(one, Broken) for one in found.values()) else 0


def _text(found: Mapping[str, Whole | Broken]) -> str:
    from meshproof.runtime.telemetry.verify_log import Broken, Whole  # noqa: PLC0415

    lines: list[str] = []
    for name, one in found.items():
        match one:
            case Whole():
                end = "closed" if one.is_closed else "open"
                torn = f", {one.recovered} torn" if one.recovered else ""
                said = f"lines {one.first.number + 1} to {one.last.number}{torn}, {end}"
                lines.append(f"{name}: whole: {said}, last hash {one.last.hash[:_SHORT]}")
            case Broken():
                place = f" at {one.file}:{one.line}" if one.line else ""
                lines.append(f"{name}: broken{place}: {one.what}")
    return "".join(f"{line}\n" for line in lines)


VERIFY_LOG = Command(
    "verify-log",
    "tell whether a decision log is as it was written",
    _options,
    _run,
    "Leaves with 0 where each chain is whole, and with 1 where one is not.",
)
