"""One run of a command: its settings, how its output looks, and the way out."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from meshproof import __version__
from meshproof.compiler.backend.registry import names, reader_names
from meshproof.compiler.cli.output import DEFAULT, Destination, destinations, require_formats, write_reports
from meshproof.compiler.cli.terminal import look_at
from meshproof.compiler.config.keys import Settings
from meshproof.compiler.config.load import (
    Configuration,
    InvalidConfiguration,
    configure,
    did_you_mean,
    without_surroundings,
)
from meshproof.compiler.driver.fingerprint import fingerprinted
from meshproof.compiler.report.exit_code import ExitCode, exit_code
from meshproof.compiler.report.model import Finding, Report
from meshproof.compiler.report.text import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshproof.compiler.report.look import Look

STDIN = "-"


@dataclass(frozen=True, slots=True)
class Session:
    """The settings of a run, where each comes from, and the looks of stdout and stderr."""

    command: str
    settings: Settings
    origins: tuple[tuple[str, str], ...]
    out: Look
    err: Look
    destinations: tuple[Destination, ...]
    paths: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where in its repository the policy stands; empty if that is the top, or there is no repository."""
        from meshproof.dsl.loader.files import real_path, tree_of  # noqa: PLC0415  a command that reads no policy

        tree = tree_of(tuple(Path(path) for path in self.paths if path != STDIN), None)
        if not (tree.boundary / ".git").exists():
            return ""
        folder = real_path(tree.root).relative_to(tree.boundary).as_posix()
        return "" if folder == "." else folder

    @property
    def day(self) -> date:
        """The day as of which to judge: the one given, else today, UTC."""
        return self.settings.at or datetime.now(UTC).date()

    def destinations_in(self, known: Sequence[str], what: str) -> tuple[Destination, ...]:
        """Where an answer goes that has these formats alone.

        Others are left out if a file or a variable asks for them, which speak to all commands.

        Raises:
            click.UsageError: a flag asks for another.
        """
        if dict(self.origins).get("output") == "--output":
            require_formats(self.destinations, known, what)
            return self.destinations
        return destinations([one for one in self.settings.output if one.partition("=")[0] in known])

    def finish(self, report: Report) -> NoReturn:
        """Write the report everywhere it was asked for, and leave with its exit code."""
        self.leave(self.report(report))

    def report(self, report: Report) -> ExitCode:
        """Write the report everywhere it was asked for; its exit code."""
        self._write(report, self.destinations)
        return exit_code(report, self.settings.fail_level)

    def _write(self, report: Report, wanted: Sequence[Destination]) -> None:
        placed = replace(report, folder=self.folder, version=__version__)
        write_reports(placed, wanted, self.out, self.settings.fail_level)

    def write_for_programs(self, report: Report) -> None:
        """Write the report in every format that was asked for but that for people."""
        self._write(report, [one for one in self.destinations if one.format.name != DEFAULT])

    def refuse(self, report: Report) -> NoReturn:
        """Say on stderr why nothing can be judged, and as a report wherever programs asked for their answer.

        For people stdout is for answers alone.
        """
        click.echo(render(report, self.err, self.settings.fail_level), err=True, nl=False)
        self.write_for_programs(report)
        self.leave(ExitCode.NOT_JUDGED)

    def leave(self, code: ExitCode) -> NoReturn:
        """End the command with an exit code."""
        raise click.exceptions.Exit(int(code))


def open_session(
    command: str, paths: Sequence[str], flags: Mapping[str, object], *, needs_settings: bool = True
) -> Session:
    """The session of a command that was called with these paths and flags (by parameter name, None if not given).

    A command that does not need the settings, but for its looks, goes on without those that cannot be used.

    Raises:
        click.UsageError: a flag or a variable has a value that it cannot have, or an option is for no target.
        click.exceptions.Exit: the configuration file cannot be used; that has been reported.
    """
    keys = {name.replace("_", "-"): value for name, value in flags.items()}
    try:
        configuration = configure(start_of(paths), keys, os.environ)
    except InvalidConfiguration as error:
        if needs_settings:
            _refuse(command, paths, flags, keys, error)
        configuration = without_surroundings(keys)
    if needs_settings:
        _refuse_unknown(configuration.settings.option)
    return _session(command, paths, flags, configuration)


def _session(command: str, paths: Sequence[str], flags: Mapping[str, object], configuration: Configuration) -> Session:
    settings = configuration.settings
    verbosity = -1 if flags.get("quiet") else 1 if flags.get("verbose") else 0
    out = look_at(sys.stdout, settings.color, os.environ, verbosity)
    err = look_at(sys.stderr, settings.color, os.environ, verbosity)
    return Session(command, settings, configuration.origins, out, err, destinations(settings.output), tuple(paths))


def _refuse_unknown(option: tuple[tuple[str, str], ...]) -> None:
    """An option for no installed target is a mistake; one for another than is asked about is left alone."""
    known = tuple(sorted({*names(), *reader_names()})) if option else ()
    for key, _ in option:
        target = key.partition(".")[0]
        if target not in known:
            raise click.UsageError(f"--option: `{key}` is an option of no target; {did_you_mean(target, known)}")


def start_of(paths: Sequence[str]) -> Path:
    """The folder where the configuration is looked for first: the policy's, else the working directory."""
    first = next((path for path in paths if path != STDIN), None)
    if first is None:
        return Path.cwd()
    path = Path(first)
    return path if path.is_dir() else path.parent


def _refuse(
    command: str,
    paths: Sequence[str],
    flags: Mapping[str, object],
    keys: Mapping[str, object],
    error: InvalidConfiguration,
) -> NoReturn:
    """Report a configuration that cannot be used, as the flags alone ask for: the rest is not known."""
    if error.source is None:
        raise _misused(error) from None
    try:
        session = _session(command, paths, flags, without_surroundings(keys))
    except InvalidConfiguration as flag:
        raise _misused(flag) from None
    sources = {error.source.path: error.source}
    findings = fingerprinted((Finding(error.diagnostic),), sources)
    session.finish(Report(command, findings=findings, is_judged=False, sources=sources))


def _misused(error: InvalidConfiguration) -> click.UsageError:
    return click.UsageError(f"{error.diagnostic.message} ({error.diagnostic.help})")
