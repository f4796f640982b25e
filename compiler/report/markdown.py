"""The report in Markdown, for a comment on a merge request. What a policy says can make no links and no mentions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.report.located import located
from meshproof.compiler.report.look import Look, harmless
from meshproof.compiler.report.model import ClaimVerdict, TestOutcome
from meshproof.compiler.report.order import in_order
from meshproof.compiler.report.request_text import request_text
from meshproof.compiler.report.summary_text import summary_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.report.model import ClaimResult, Finding, Report, TestResult
    from meshproof.dsl.diagnostic import Severity

_PLAIN = Look()


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  Markdown looks the same everywhere
    """A line that sums up, then tables of what is found and claimed, and the test lines that did not pass."""
    sections = (
        ["## Meshproof", "", *(_prose(line) for line in summary_lines(report, _PLAIN))],
        _findings(report),
        _claims(report),
        _tests(report),
    )
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def _findings(report: Report) -> list[str]:
    rows = [_finding(one, report) for one in in_order(report.findings) if not one.diagnostic.is_waived]
    return _table("Findings", ("", "code", "where", "what"), rows)


def _finding(finding: Finding, report: Report) -> Sequence[str]:
    diagnostic = finding.diagnostic
    place = located(diagnostic.primary, report)
    at = _code(f"{place.path}:{place.line}") if place else ""
    text = " ".join(_remarks(finding))
    return diagnostic.severity.value, diagnostic.code, at, text


def _remarks(finding: Finding) -> Iterator[str]:
    yield _prose(finding.diagnostic.message)
    if finding.diagnostic.help is not None:
        yield f"<br>*help:* {_prose(finding.diagnostic.help)}"


def _claims(report: Report) -> list[str]:
    rows = [_claim(claim, report) for claim in report.claims]
    return _table("Claims", ("verdict", "title", "claim", ""), rows)


def _claim(claim: ClaimResult, report: Report) -> Sequence[str]:
    remarks = []
    if claim.is_waived:
        remarks.append("waived")
    if claim.is_vacuous:
        remarks.append("vacuous")
    if claim.verdict is ClaimVerdict.UNKNOWN:
        remarks.append(_prose(claim.reason))
    remarks += (_code(request_text(request, report.identities)) for request in claim.witness)
    return claim.verdict.value, _code(claim.name), _code(claim.text), "<br>".join(remarks)


def _tests(report: Report) -> list[str]:
    rows = [_test(test) for test in report.tests if test.outcome is not TestOutcome.PASSED]
    return _table("Tests that did not pass", ("outcome", "test", "line", "it is"), rows)


def _test(test: TestResult) -> Sequence[str]:
    return (
        f"{test.outcome.value}{' (waived)' if test.is_waived else ''}",
        _code(test.name),
        _code(test.text),
        _code(test.actual),
    )


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    lines = (f"| {' | '.join(cells)} |" for cells in (heads, ("---",) * len(heads), *rows))
    return [f"### {title}", "", *lines]


def _prose(text: str) -> str:
    """A sentence of ours, in which what users wrote stands between backticks; all other marks mean nothing."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _code(text)
    return "".join(_code(part) if number % 2 else _escaped(part) for number, part in enumerate(parts))


def _escaped(text: str) -> str:
    return "".join(f"&#{ord(one)};" if one in "\\*_[]<>|#@~!&" else one for one in harmless(text))


def _code(text: str) -> str:
    """Text in which nothing is a mark. A code span would do, but for a backtick or a bar in it."""
    if not text:
        return ""
    return f"<code>{''.join(_entity(one) for one in harmless(text))}</code>"


def _entity(character: str) -> str:
    return character if character.isalnum() or character in " .:-/=," else f"&#{ord(character)};"
