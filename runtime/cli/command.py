"""What a command is, and what is said where one does not do what it was asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass

USAGE = 2
"""The exit code of usage, and of something given that is refused."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command: `options` adds what it takes, `run` does it and says with which code to leave.

    A module of a command loads what it needs in `run`, so `--help` works without the extra `runtime`, and without
    waiting for what that brings. `run` may raise `SettingError`, and `ModuleNotFoundError` for a package of others.
    """

    name: str
    summary: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    more: str = ""


def refused(why: str) -> int:
    """Say why, on one line, and with which code to leave."""
    sys.stderr.write(f"meshproof-proxy: {why}\n")
    return USAGE


def tell(line: str) -> None:
    """Write to standard error what a running command tells of itself."""
    sys.stderr.write(line)
    sys.stderr.flush()
