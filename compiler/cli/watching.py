"""`--watch`: judge again whenever a file of the policy changes, until Ctrl-C."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import click

from meshproof.compiler.cli.session import STDIN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from meshproof.compiler.cli.session import Session
    from meshproof.compiler.report.exit_code import ExitCode
    from meshproof.compiler.report.model import Report

_CLEAR = "\x1b[H\x1b[2J\x1b[3J"


def finish(session: Session, paths: Sequence[str], judged: Callable[[], Report], *, is_watching: bool) -> NoReturn:
    """Report once and leave; or report at every change and leave at Ctrl-C, with the exit code of the last report.

    Raises:
        click.UsageError: there is nothing to watch, or the package that watches is not installed.
    """
    if not is_watching:
        session.finish(judged())
    if STDIN in paths:
        raise click.UsageError("--watch: stdin, `-`, cannot be watched")
    session.leave(_watch(session, paths, judged))


def _watch(session: Session, paths: Sequence[str], judged: Callable[[], Report]) -> ExitCode:
    try:
        import watchfiles  # noqa: PLC0415  an extra
    except ModuleNotFoundError:
        raise click.UsageError("--watch needs the extra `watch`: pip install 'meshproof[watch]'") from None
    code = _report(session, judged)
    try:
        for _ in watchfiles.watch(*paths):
            if session.out.has_colour:
                click.echo(_CLEAR, nl=False)
            code = _report(session, judged)
    except (KeyboardInterrupt, FileNotFoundError):
        return code
    return code


def _report(session: Session, judged: Callable[[], Report]) -> ExitCode:
    code = session.report(judged())
    if session.err.verbosity >= 0:
        click.echo("watching for changes; Ctrl-C ends", err=True)
    return code
