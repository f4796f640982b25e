"""The findings as commands of a workflow of GitHub, which shows them at their lines in a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.report.located import located
from meshproof.compiler.report.order import in_order
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import Finding, Report

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  the exit code tells
    """A command for each finding that is not waived; nothing if there is none."""
    open_findings = (finding for finding in in_order(report.findings) if not finding.diagnostic.is_waived)
    return "".join(f"{_command(finding, report)}\n" for finding in open_findings)


def _command(finding: Finding, report: Report) -> str:
    diagnostic = finding.diagnostic
    given = ",".join(f"{name}={_property(value)}" for name, value in _properties(finding, report))
    text = diagnostic.message if diagnostic.help is None else f"{diagnostic.message}\nhelp: {diagnostic.help}"
    return f"::{_COMMANDS[diagnostic.severity]} {given}::{_data(text)}"


def _properties(finding: Finding, report: Report) -> Iterator[tuple[str, str]]:
    place = located(finding.diagnostic.primary, report)
    if place is not None:
        yield "file", place.path
        yield "line", str(place.line)
        yield "endLine", str(place.end_line)
        if place.line == place.end_line:  # GitHub takes columns of one line alone
            yield "col", str(place.column)
            yield "endColumn", str(place.end_column)
    yield "title", finding.diagnostic.code


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
