"""`meshproof doctor`."""

from __future__ import annotations

import json
import platform
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from meshproof import __version__
from meshproof.compiler.backend.registry import BrokenTargetError, load, load_reader, names, reader_names
from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_exactly, write_out
from meshproof.compiler.cli.session import Session, open_session
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.look import Style, harmless

if TYPE_CHECKING:
    from collections.abc import Callable

SCHEMA = "meshproof/doctor/v1"
OLDEST_PYTHON = (3, 11)
NEEDED = (
    ("click", "click", "the command line"),
    ("lark", "lark", "the grammar"),
    ("z3-solver", "z3", "proofs"),
    ("PyYAML", "yaml", "writing and reading manifests"),
    ("jsonschema", "jsonschema", "validation of what is written"),
)
"""Package, the module that it brings, and what it is for."""
OPTIONAL = (("cvc5", "prove --cross-check"), ("watchfiles", "--watch"))
"""Packages of extras, and what asks for them."""
OPTIONAL_PROGRAMS = (("kubectl", "applying what was compiled"),)
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Part:
    """Something that is there, or not: `found` is its version or place, `trouble` says why it is of no use."""

    name: str
    found: str | None
    purpose: str
    is_needed: bool
    trouble: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it does what it is needed for."""
        return self.trouble is None or not self.is_needed


@click.command("doctor")
@click.option("--output", type=click.Choice(["human", "json"]), default="human", help="The form of the answer.")
@options.speech
def command(output: str, **flags: object) -> None:
    """Show what this installation is made of.

    Every part is loaded to see whether it works. The status is 2 if something that is needed does not.
    """
    session = open_session("doctor", (), flags)
    parts = examine()
    if output == "json":
        write_exactly(_as_json(parts))
    else:
        write_out(_as_text(parts, session))
    session.leave(ExitCode.CLEAN if all(part.is_well for part in parts) else ExitCode.NOT_JUDGED)


def examine() -> tuple[Part, ...]:
    """Everything that Meshproof needs or can use."""
    return (
        Part("meshproof", __version__, "this program", is_needed=True),
        _python(),
        *(_package(*package) for package in NEEDED),
        *_targets(),
        *(_extra(*package) for package in OPTIONAL),
        *(_program(*program) for program in OPTIONAL_PROGRAMS),
    )


def _python() -> Part:
    trouble = None if sys.version_info >= OLDEST_PYTHON else "too old"
    return Part("Python", platform.python_version(), "3.11 or newer", is_needed=True, trouble=trouble)


def _package(name: str, module: str, purpose: str) -> Part:
    try:
        found = version(name)
    except PackageNotFoundError:
        return Part(name, None, purpose, is_needed=True, trouble=MISSING)
    try:
        import_module(module)
    except Exception as error:  # noqa: BLE001  whatever a foreign package does when it is loaded
        return Part(name, found, purpose, is_needed=True, trouble=f"cannot be loaded: {error}")
    return Part(name, found, purpose, is_needed=True)


def _targets() -> tuple[Part, ...]:
    targets = tuple(_found(f"target {name}", f"compile --target {name}", partial(load, name)) for name in names())
    readers = tuple(
        _found(f"reader {name}", f"check --from {name}", partial(load_reader, name)) for name in reader_names()
    )
    return (
        *(targets or (Part("targets", None, "compiling", is_needed=True, trouble=MISSING),)),
        *(readers or (Part("readers", None, "reading manifests", is_needed=True, trouble=MISSING),)),
    )


def _found(name: str, purpose: str, loaded: Callable[[], object]) -> Part:
    try:
        loaded()
    except BrokenTargetError as error:
        return Part(name, None, purpose, is_needed=True, trouble=str(error))
    return Part(name, "installed", purpose, is_needed=True)


def _extra(name: str, purpose: str) -> Part:
    try:
        return Part(name, version(name), purpose, is_needed=False)
    except PackageNotFoundError:
        return Part(name, None, purpose, is_needed=False, trouble="not there")


def _program(name: str, purpose: str) -> Part:
    found = shutil.which(name)
    return Part(name, found, purpose, is_needed=False, trouble=None if found else "not there")


def _as_text(parts: tuple[Part, ...], session: Session) -> str:
    look, lines = session.out, []
    name_width = max(len(part.name) for part in parts)
    found_width = max(len(part.found or "") for part in parts)
    for part in parts:
        if part.trouble is None:
            sign = look.paint(look.glyphs.good, Style.GOOD)
        elif part.is_needed:
            sign = look.paint(look.glyphs.bad, Style.ERROR)
        else:
            sign = look.paint(look.glyphs.gap, Style.FAINT)
        purpose = look.paint(part.purpose, Style.FAINT)
        trouble = f": {harmless(part.trouble)}" if part.trouble else ""
        lines.append(f"{sign} {part.name:<{name_width}}  {part.found or '':<{found_width}}  {purpose}{trouble}")
    return "\n".join(lines) + "\n"


def _as_json(parts: tuple[Part, ...]) -> str:
    rows = [
        {
            "name": part.name,
            "found": part.found,
            "purpose": part.purpose,
            "needed": part.is_needed,
            "trouble": part.trouble,
        }
        for part in parts
    ]
    return json.dumps({"schema": SCHEMA, "parts": rows}, indent=2, ensure_ascii=False) + "\n"
