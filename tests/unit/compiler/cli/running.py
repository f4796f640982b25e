"""Calling the command, in this process or in one of its own, untouched by the variables of whoever runs the tests."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from meshproof.compiler.cli.root import root
from meshproof.compiler.config.keys import KEYS
from meshproof.compiler.config.load import variable_of

MESHPROOF = Path(sys.executable).parent / "meshproof"
OURS = ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TERM", *(variable_of(key) for key in KEYS))
AS_OF = ("--at", "2026-11-23")


def run(*arguments: str | Path, text: str | bytes = "", variables: Mapping[str, str] | None = None) -> Result:
    """Call the command in this process."""
    environment: dict[str, str | None] = dict.fromkeys(OURS)
    runner = CliRunner(env={**environment, **(variables or {})})
    return runner.invoke(root, [str(argument) for argument in arguments], input=text, prog_name="meshproof")


def start(*arguments: str | Path, variables: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Call the installed command as a process of its own."""
    return subprocess.run(
        [MESHPROOF, *arguments],
        env=clean(variables),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def shell(script: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell in which `$0` is the command and `$1`, … are the arguments."""
    return subprocess.run(
        ["/bin/sh", "-c", script, MESHPROOF, *arguments], env=clean(None), capture_output=True, text=True, check=False
    )


def clean(variables: Mapping[str, str] | None) -> dict[str, str]:
    """The environment of a process."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return {**kept, **(variables or {})}
