"""One finding as text, after rustc: headline, source lines, then what else is to be said about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.report.look import Look, Style, harmless, width_of, wrapped
from meshproof.compiler.report.request_text import request_text
from meshproof.compiler.report.snippet import gutter_of, snippet
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.report.model import Finding, Report
    from meshproof.dsl.diagnostic import Diagnostic, Evidence

STYLES = {Severity.ERROR: Style.ERROR, Severity.WARNING: Style.WARNING, Severity.INFO: Style.INFO}


def diagnostic_lines(finding: Finding, report: Report, look: Look) -> Iterator[str]:
    """The lines of a finding, without a blank one before or after."""
    diagnostic = finding.diagnostic
    style = STYLES[diagnostic.severity]
    yield _headline(diagnostic, style, look)
    gutter = 2
    if diagnostic.labels:
        gutter = gutter_of(diagnostic.labels, report.sources)
        yield from snippet(diagnostic.labels, report.sources, style, look)
    for kind, text, may_wrap in _remarks(finding, report):
        yield _remark(kind, text, gutter, look, may_wrap=may_wrap)


def _headline(diagnostic: Diagnostic, style: Style, look: Look) -> str:
    kind = f"{diagnostic.severity.value}[{diagnostic.code}]"
    message = wrapped(f": {harmless(diagnostic.message)}", look.width, " " * (width_of(kind) + 2)).split("\n")
    lines = [look.paint(line, Style.STRONG) if index == 0 else line for index, line in enumerate(message)]
    return look.paint(kind, style) + "\n".join(lines)


def _remarks(finding: Finding, report: Report) -> Iterator[tuple[str, str, bool]]:
    """Kind, text, and whether the text may be broken: what is to be copied may not."""
    diagnostic = finding.diagnostic
    for row in diagnostic.evidence:
        yield from _evidence(row, report)
    yield from (("note", note, True) for note in diagnostic.notes)
    if finding.environments and finding.environments != report.environments:
        yield "in", ", ".join(finding.environments), True
    if diagnostic.help is not None:
        yield "help", diagnostic.help, True


def _evidence(row: Evidence, report: Report) -> Iterator[tuple[str, str, bool]]:
    if row.kind != "request":
        yield row.kind, row.value, True
        return
    yield "request", request_text(request_from_json(row.value), report.identities), True
    yield "eval", row.value, False


def _remark(kind: str, text: str, gutter: int, look: Look, *, may_wrap: bool) -> str:
    indent = " " * (gutter + 2 + len(kind) + 2)
    body = wrapped(harmless(text), look.width if may_wrap else None, indent)
    mark = look.paint("=", Style.FRAME)
    return f"{' ' * gutter}{mark} {look.paint(f'{kind}:', Style.STRONG)} {body}"
