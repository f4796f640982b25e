"""`meshproof doctor`."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import click

from meshproof import __version__
from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_out
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.look import Style

SCHEMA = "meshproof/doctor/v1"
OLDEST_PYTHON = (3, 11)
NEEDED = {
    "click": "the command line",
    "lark": "reading policies",
    "z3-solver": "proofs",
    "PyYAML": "writing and reading manifests",
    "jsonschema": "validation of what is written",
}
OPTIONAL_PACKAGES = {
    "watchfiles": "check --watch",
    "cvc5": "a second opinion on proofs",
    "google-re2": "a second opinion on regular expressions",
}
OPTIONAL_PROGRAMS = {"git": "the root of a repository", "kubectl": "applying what was compiled"}


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is there, or not; `found` is its version or place."""

    name: str
    found: str | None
    purpose: str
    is_needed: bool

    @property
    def is_well(self) -> bool:
        """Whether nothing that is needed is missing."""
        return self.found is not None or not self.is_needed


@click.command("doctor")
@click.option("--output", type=click.Choice(["human", "json"]), default="human", help="The form of the answer.")
@options.speech
def command(output: str, **flags: object) -> None:
    """Show what this installation is made of."""
    session = open_session("doctor", (), flags)
    parts = examine()
    write_out(_as_json(parts) if output == "json" else _as_text(parts, session))
    session.leave(ExitCode.CLEAN if all(part.is_well for part in parts) else ExitCode.NOT_JUDGED)


def examine() -> tuple[Part, ...]:
    """Everything that Meshproof needs or can use."""
    python = platform.python_version() if sys.version_info >= OLDEST_PYTHON else None
    return (
        Part("meshproof", __version__, "this program", is_needed=True),
        Part("Python", python, "3.11 or newer", is_needed=True),
        *(Part(name, _version(name), purpose, is_needed=True) for name, purpose in NEEDED.items()),
        *(Part(name, _version(name), purpose, is_needed=False) for name, purpose in OPTIONAL_PACKAGES.items()),
        *(Part(name, shutil.which(name), purpose, is_needed=False) for name, purpose in OPTIONAL_PROGRAMS.items()),
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _as_text(parts: tuple[Part, ...], session: Session) -> str:
    look, lines = session.out, []
    name_width = max(len(part.name) for part in parts)
    found_width = max(len(part.found or "") for part in parts)
    for part in parts:
        if part.found is not None:
            sign = look.paint(look.glyphs.good, Style.GOOD)
        elif part.is_needed:
            sign = look.paint(look.glyphs.bad, Style.ERROR)
        else:
            sign = look.paint(look.glyphs.gap, Style.FAINT)
        found = part.found or ("missing" if part.is_needed else "not there")
        lines.append(
            f"{sign} {part.name:<{name_width}}  {found:<{found_width}}  {look.paint(part.purpose, Style.FAINT)}"
        )
    return "\n".join(lines) + "\n"


def _as_json(parts: tuple[Part, ...]) -> str:
    rows = [
        {"name": part.name, "found": part.found, "purpose": part.purpose, "needed": part.is_needed} for part in parts
    ]
    return json.dumps({"schema": SCHEMA, "parts": rows}, indent=2, ensure_ascii=False) + "\n"
