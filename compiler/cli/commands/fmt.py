"""`meshproof fmt`."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from meshproof.compiler.cli import options
from meshproof.compiler.cli.output import write_exactly, write_out
from meshproof.compiler.cli.session import STDIN, Session, open_session
from meshproof.compiler.cli.terminal import is_terminal
from meshproof.compiler.driver.formatting import Formatting, format_files, format_text
from meshproof.compiler.report.diagnostic_text import diagnostic_lines
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.look import Style, harmless
from meshproof.compiler.report.model import Finding, Report

if TYPE_CHECKING:
    from collections.abc import Iterator

_STYLES = {"+": Style.GOOD, "-": Style.ERROR, "@": Style.NOTE}


@click.command("fmt")
@options.paths
@click.option("--check", is_flag=True, help="Write nothing; status 1 if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing and show the changes; status 1 if there are some.")
@options.speech
def command(paths: tuple[str, ...], check: bool, diff: bool, **flags: object) -> None:  # noqa: FBT001  click calls it
    """Write policies in the one layout.

    PATH is a file, a folder of `.mesh` files, or `-`: then the text comes from stdin and goes to stdout. Files that
    are not in the layout are rewritten in place. What a policy says never changes, and comments stay. A file with an
    error is left alone, and the status is 2.
    """
    if STDIN in paths and len(paths) > 1:
        raise click.UsageError("`-` stands alone: its text goes to stdout")
    session = open_session("fmt", paths, flags)
    changed, unchanged, failed = 0, 0, 0
    for formatting in _formattings(paths, session.settings.max_file_bytes):
        if formatting.after is None:
            _report(formatting, session)
            failed += 1
            continue
        if diff:
            write_out("".join(_diff(formatting, session)))
        elif not check and not _is_written(formatting, session):
            failed += 1
            continue
        elif check and formatting.is_changed:
            _say(session, f"would change: {formatting.source.path}")
        changed += formatting.is_changed
        unchanged += not formatting.is_changed
    if not diff and paths != (STDIN,):
        _say(session, _summary(changed, unchanged, failed, is_dry=check))
    session.leave(_exit_code(changed if check or diff else 0, failed))


def _formattings(paths: tuple[str, ...], limit: int) -> Iterator[Formatting]:
    if STDIN in paths:
        yield format_text(sys.stdin.buffer.read(limit + 1), limit)
    yield from format_files([Path(path) for path in paths if path != STDIN], limit)


def _is_written(formatting: Formatting, session: Session) -> bool:
    """Write what has changed to its place; whether that went well."""
    if formatting.path is None:
        write_exactly(formatting.after or "")
        return True
    if not formatting.is_changed:
        return True
    try:
        formatting.rewrite()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        click.echo(f"cannot write {formatting.source.path}: {reason}", err=True)
        return False
    _say(session, f"rewrote {formatting.source.path}")
    return True


def _report(formatting: Formatting, session: Session) -> None:
    """Say on stderr what is wrong with a file: stdout is for the text itself."""
    source = formatting.source
    report = Report("fmt", sources={source.path: source})
    for diagnostic in formatting.diagnostics:
        click.echo("\n".join(diagnostic_lines(Finding(diagnostic), report, session.err)) + "\n", err=True)


def _diff(formatting: Formatting, session: Session) -> Iterator[str]:
    """What would change, as `diff -u` writes it; what steers a terminal is made visible on one."""
    if not formatting.is_changed or formatting.after is None:
        return
    name = formatting.source.path
    before = formatting.before.decode().splitlines(keepends=True)
    after = formatting.after.splitlines(keepends=True)
    for line in difflib.unified_diff(before, after, name, name):
        text = line.removesuffix("\n")
        shown = harmless(text) if is_terminal(sys.stdout) else text
        style = _STYLES.get(line[:1])
        yield f"{session.out.paint(shown, style) if style else shown}\n"
        if text == line:
            yield "\\ No newline at end of file\n"


def _say(session: Session, text: str) -> None:
    if session.out.verbosity >= 0:
        write_out(f"{text}\n")


def _summary(changed: int, unchanged: int, failed: int, *, is_dry: bool) -> str:
    counts = (
        (changed, "would change" if is_dry else "rewritten"),
        (unchanged, "in the layout already"),
        (failed, "left alone"),
    )
    parts = [f"{number} file{'' if number == 1 else 's'} {what}" for number, what in counts if number]
    return ", ".join(parts)


def _exit_code(changed: int, failed: int) -> ExitCode:
    if failed:
        return ExitCode.NOT_JUDGED
    return ExitCode.FOUND if changed else ExitCode.CLEAN
