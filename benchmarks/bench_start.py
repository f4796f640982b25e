"""How long the command takes to say anything: a gate starts it many times a day."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.case import Case

ROOT = Path(__file__).resolve().parent.parent
MESHPROOF = str(Path(sys.executable).parent / "meshproof")


def cases() -> Iterator[Case]:
    """An empty interpreter first, so that the rest are ratios to it."""
    yield Case("python -c pass", lambda: _run(sys.executable, "-c", "pass"))
    yield Case("meshproof --help", lambda: _run(MESHPROOF, "--help"), goal=0.15)
    yield Case("meshproof --version", lambda: _run(MESHPROOF, "--version"), goal=0.15)
    shop = str(ROOT / "policies/examples/boutique")
    yield Case(
        "meshproof check policies/examples/boutique",
        lambda: _run(MESHPROOF, "check", shop, "--at", "2026-11-23"),
        goal=2,
    )


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
