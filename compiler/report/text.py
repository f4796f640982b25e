"""The report for people: findings with their source, then what was proved and tested, then one line that sums up."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from meshproof.compiler.report.compiled_text import compiled_lines, dial_lines, residual_lines
from meshproof.compiler.report.diagnostic_text import diagnostic_lines
from meshproof.compiler.report.honesty import remarks
from meshproof.compiler.report.look import Look, Style, harmless, wrapped
from meshproof.compiler.report.model import Assumption, ClaimVerdict, TestOutcome
from meshproof.compiler.report.order import in_order
from meshproof.compiler.report.overview_text import list_lines, overview_lines
from meshproof.compiler.report.summary_text import summary_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.report.model import ClaimResult, Report, TestResult
    from meshproof.dsl.diagnostic import Severity


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  the exit code tells
    """The report as text."""
    sections = [_honesty(report, look), *_first_screen(report, look), *_findings(report, look)]
    if look.verbosity >= 0:
        sections += [_claims(report, look), _tests(report, look), _waived(report, look)]
    if report.compiled is not None:
        sections.append(compiled_lines(report.compiled, look))
    if report.compiled is not None and look.verbosity >= 0:
        sections += [dial_lines(report, report.compiled, look), residual_lines(report.compiled, look)]
    if look.verbosity >= 0 or any(sections):
        sections.append(list(summary_lines(report, look)))
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n" if any(sections) else ""


def _honesty(report: Report, look: Look) -> list[str]:
    return [look.paint(one, Style.WARNING) for one in remarks(report.judgement)]


def _first_screen(report: Report, look: Look) -> Iterator[list[str]]:
    if report.overview is not None and look.verbosity >= 0:
        yield list(overview_lines(report.overview, report.identities, look))
        yield list(list_lines(report, look))


def _findings(report: Report, look: Look) -> Iterator[list[str]]:
    for finding in in_order(report.findings):
        if not finding.diagnostic.is_waived:
            yield list(diagnostic_lines(finding, report, look))


def _waived(report: Report, look: Look) -> list[str]:
    lines = []
    for finding in in_order(report.findings):
        diagnostic = finding.diagnostic
        if not diagnostic.is_waived:
            continue
        span = diagnostic.primary
        source = report.sources.get(span.file) if span else None
        place = f"{span.file}:{source.position(span.start).line} " if span and source else ""
        text = wrapped(harmless(f"{place}{diagnostic.message}"), look.width, " " * 8)
        lines.append(f"  {look.paint(diagnostic.code, Style.FAINT)} {text}")
    return [look.paint("Waived", Style.STRONG), *lines] if lines else []


def _claims(report: Report, look: Look) -> list[str]:
    if not report.claims:
        return []
    lines = [look.paint("Proofs", Style.STRONG), *(f"  {one}" for one in remarks(report.judgement))]
    for name, group in groupby(report.claims, key=lambda claim: claim.name):
        lines += _block(name, tuple(group), report, look)
    assumed = tuple(_assumed(report.claims))
    if assumed:
        lines += ["", look.paint("What the proofs assume", Style.STRONG)]
        lines += [f"  {look.glyphs.gap} {wrapped(harmless(text), look.width, '    ')}" for text in assumed]
    return lines


def _assumed(claims: Sequence[ClaimResult]) -> Iterator[str]:
    """What all proofs together assume: each thing once, at all ports where some proof needs it."""
    ports: dict[str, set[str]] = {}
    for claim in claims:
        for assumption in claim.assumptions:
            ports.setdefault(assumption.text, set()).update(assumption.ports)
    for text in sorted(ports):
        yield Assumption(text, tuple(sorted(ports[text]))).sentence


def _block(name: str, claims: Sequence[ClaimResult], report: Report, look: Look) -> Iterator[str]:
    """A title with its worst verdict, and the claims that are not proved; with `-v`, all of them."""
    yield f"  {_sign(_worst(claims), look)} {wrapped(harmless(name), look.width, '    ')}"
    for claim in claims:
        if look.verbosity > 0 or _is_remarkable(claim):
            where = _environments(claim.environments, report)
            remark = "".join(f" ({word})" for word in _remarks(claim))
            text = wrapped(harmless(f"{claim.text}{remark}{where}"), look.width, " " * 8)
            yield f"      {_sign(claim.verdict, look)} {text}"


def _is_remarkable(claim: ClaimResult) -> bool:
    return claim.verdict is not ClaimVerdict.PROVED or claim.is_vacuous or claim.second_opinion is not None


def _remarks(claim: ClaimResult) -> Iterator[str]:
    if claim.is_waived:
        yield "refuted, waived"
    if claim.is_vacuous:
        yield "vacuous"
    if claim.reason:
        yield claim.reason
    opinion = claim.second_opinion
    if opinion is not None and opinion.is_confirmed:
        yield f"confirmed by {' and '.join(opinion.confirmed_by)}"
    elif opinion is not None:
        yield f"not confirmed: {'; '.join(opinion.undecided) or 'there is nothing to ask'}"


def _worst(claims: Sequence[ClaimResult]) -> ClaimVerdict:
    verdicts = {claim.verdict for claim in claims}
    order = (ClaimVerdict.REFUTED, ClaimVerdict.UNKNOWN, ClaimVerdict.PROVED)
    return next(verdict for verdict in order if verdict in verdicts)


def _sign(verdict: ClaimVerdict, look: Look) -> str:
    match verdict:
        case ClaimVerdict.PROVED:
            return look.paint(look.glyphs.good, Style.GOOD)
        case ClaimVerdict.REFUTED:
            return look.paint(look.glyphs.bad, Style.ERROR)
        case ClaimVerdict.UNKNOWN:
            return look.paint(look.glyphs.unsure, Style.WARNING)


def _tests(report: Report, look: Look) -> list[str]:
    if not report.tests:
        return []
    lines = [look.paint("Tests", Style.STRONG)]
    for name, group in groupby(report.tests, key=lambda test: test.name):
        tests = tuple(group)
        lines.append(f"  {_sign_of_test(_worst_outcome(tests), look)} {wrapped(harmless(name), look.width, '    ')}")
        lines += [_test(test, report, look) for test in tests if _is_shown(test, look)]
    return lines


def _is_shown(test: TestResult, look: Look) -> bool:
    return look.verbosity > 0 or test.outcome is not TestOutcome.PASSED


def _test(test: TestResult, report: Report, look: Look) -> str:
    actual = "" if test.outcome is TestOutcome.PASSED else f", but it is {test.actual}"
    waived = " (failed, waived)" if test.is_waived else ""
    text = f"{test.text}{actual}{waived}{_environments(test.environments, report)}"
    return f"      {_sign_of_test(test.outcome, look)} {wrapped(harmless(text), look.width, ' ' * 8)}"


def _worst_outcome(tests: Sequence[TestResult]) -> TestOutcome:
    outcomes = {test.outcome for test in tests}
    order = (TestOutcome.FAILED, TestOutcome.UNDECIDED, TestOutcome.PASSED)
    return next(outcome for outcome in order if outcome in outcomes)


def _sign_of_test(outcome: TestOutcome, look: Look) -> str:
    match outcome:
        case TestOutcome.PASSED:
            return look.paint(look.glyphs.good, Style.GOOD)
        case TestOutcome.FAILED:
            return look.paint(look.glyphs.bad, Style.ERROR)
        case TestOutcome.UNDECIDED:
            return look.paint(look.glyphs.unsure, Style.WARNING)


def _environments(environments: tuple[str, ...], report: Report) -> str:
    return f" (in {', '.join(environments)})" if environments and environments != report.environments else ""
