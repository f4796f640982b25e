"""Where reports go: `--output FORMAT[=FILE]`, any number of times."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshproof.compiler.config.load import did_you_mean
from meshproof.compiler.driver.writing import replace_file
from meshproof.compiler.report.registry import FORMATS, Format, find_format

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import Report
    from meshproof.dsl.diagnostic import Severity

DEFAULT = "human"


@dataclass(frozen=True, slots=True)
class Destination:
    """A format and the file that it goes to; None is stdout."""

    format: Format
    file: Path | None


def destinations(outputs: Sequence[str]) -> tuple[Destination, ...]:
    """What the values of `--output` ask for; people get their report on stdout unless something else goes there.

    Raises:
        click.UsageError: a format is unknown, two go to stdout, or two to one file.
    """
    wanted = [_destination(output) for output in outputs]
    places = [str(destination.file) if destination.file else "stdout" for destination in wanted]
    for place in places:
        if places.count(place) > 1:
            raise click.UsageError(f"--output: two reports go to {place}")
    if "stdout" not in places:
        human = find_format(DEFAULT)
        assert human is not None
        wanted.insert(0, Destination(human, None))
    return tuple(wanted)


def require_formats(wanted: Sequence[Destination], known: Sequence[str], what: str) -> None:
    """Refuse formats that an answer of this kind does not have.

    Raises:
        click.UsageError: one of them is asked for.
    """
    for destination in wanted:
        if destination.format.name not in known:
            listed = " and ".join(f"`{name}`" for name in known)
            raise click.UsageError(f"--output: {what} has no format `{destination.format.name}`; there is {listed}")


def write_reports(report: Report, wanted: Sequence[Destination], look: Look, fail_level: Severity) -> None:
    """Write the report in every format. A file is whole or not there.

    Raises:
        click.UsageError: a file cannot be written.
    """
    write_each(wanted, look, lambda form, at: form.load()(report, at, fail_level))


def write_each(wanted: Sequence[Destination], look: Look, render: Callable[[Format, Look], str]) -> None:
    """Write to every destination what is rendered for its format. A file is whole or not there.

    Raises:
        click.UsageError: a file cannot be written.
    """
    from meshproof.compiler.report.look import Look  # noqa: PLC0415  light, but needed only here

    for destination in wanted:
        if destination.file is None:
            write = write_out if destination.format.name == DEFAULT else write_exactly
            write(render(destination.format, look))
        else:
            text = render(destination.format, Look(verbosity=look.verbosity))
            try:
                _write_file(destination.file, text)
            except OSError as error:
                raise click.UsageError(f"--output: cannot write {destination.file}: {error.strerror}") from None


def write_out(text: str) -> None:
    """Write to stdout what people read, which may hold any character; a reader that has left is no error.

    Raises:
        click.UsageError: stdout cannot be written.
    """
    encoding = sys.stdout.encoding or "ascii"
    _write_bytes(text.encode(encoding, "backslashreplace"))


def write_exactly(text: str) -> None:
    """Write to stdout what programs read: UTF-8, whatever a terminal here would have; else as `write_out`.

    Raises:
        click.UsageError: stdout cannot be written.
    """
    _write_bytes(_as_utf_8(text))


def _as_utf_8(text: str) -> bytes:
    """Half of a pair of surrogates, which a request may hold, is written as JSON writes it."""
    return text.encode("utf-8", "backslashreplace")


def _write_bytes(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()
    except OSError as error:
        _forget_stdout()
        raise click.UsageError(f"cannot write to stdout: {error.strerror}") from None


def _forget_stdout() -> None:
    """Nothing more can be written: without this, the interpreter would complain when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _destination(output: str) -> Destination:
    name, separator, file = output.partition("=")
    found = find_format(name)
    if found is None:
        advice = did_you_mean(name, (entry.name for entry in FORMATS))
        raise click.UsageError(f"--output: there is no format `{name}`; {advice}")
    if separator and not file:
        raise click.UsageError(f"--output: `{output}` names no file")
    return Destination(found, Path(file) if separator else None)


def _write_file(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(_as_utf_8(text))  # a device or pipe: nothing to rename onto
        return
    replace_file(path, _as_utf_8(text))
