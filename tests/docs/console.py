"""Pages that show commands and what they print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_FENCE = re.compile(r"^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def fences(page: str) -> list[tuple[str, str]]:
    """The fences of a page in order, each with its kind."""
    return [(one["kind"], one["text"]) for one in _FENCE.finditer(page)]


def run_shown(shown: str, where: Path) -> tuple[subprocess.CompletedProcess[str], str]:
    """The command at the head of a `console` fence, run in a folder, and what the page says that it prints."""
    command, _, said = shown.partition("\n")
    program, *arguments = command.removeprefix("$ ").split()
    without_width = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [Path(sys.executable).with_name(program), *arguments],
        cwd=where,
        env=without_width,
        capture_output=True,
        text=True,
        check=False,
    )
    return done, said
