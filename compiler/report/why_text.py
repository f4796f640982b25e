"""Explanations for people: the request, the decision, the rules with their source, and what would have been needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.report.honesty import remarks
from meshproof.compiler.report.look import Look, Style, harmless, wrapped
from meshproof.compiler.report.outcome_text import decision_text, route_text
from meshproof.compiler.report.request_text import request_text
from meshproof.compiler.report.snippet import snippet
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.backend.artifact import MapEntry
    from meshproof.compiler.report.model_why import DecidingRule, Explanation, NearMiss, WhyReport


def render(report: WhyReport, look: Look) -> str:
    """All answers as text."""
    said = [look.paint(one, Style.WARNING) for one in remarks(report.judgement)]
    return "\n\n".join((*said, *("\n".join(_lines(answer, report, look)) for answer in report.answers))) + "\n"


def _lines(answer: Explanation, report: WhyReport, look: Look) -> Iterator[str]:
    request = wrapped(harmless(request_text(answer.request, report.identities)), look.width, "    ")
    yield look.paint(request, Style.STRONG)
    is_allowed = answer.decision.is_allowed
    sign = look.paint(look.glyphs.good if is_allowed else look.glyphs.bad, Style.GOOD if is_allowed else Style.ERROR)
    yield f"  {sign} {decision_text(answer.decision)}: {harmless(answer.note)}"
    outcome = answer.outcome
    where = f"the route is not known: {harmless(outcome)}" if isinstance(outcome, str) else route_text(outcome)
    yield f"    {where}"
    for rule in answer.rules:
        yield ""
        yield from _rule(rule, report, look)
    if answer.nearest:
        yield ""
        yield look.paint("What would have allowed it", Style.STRONG)
    for miss in answer.nearest:
        yield from _near(miss, report, look)


def _rule(rule: DecidingRule, report: WhyReport, look: Look) -> Iterator[str]:
    label = Label(rule.span, f"this {rule.effect} decides", is_primary=True)
    yield from snippet((label,), report.sources, Style.INFO, look)
    if rule.written_in:
        yield f"  = written: {harmless(rule.written_in)}"
    for one in rule.emitted:
        yield f"  = emitted: {one.target}: {_emitted(one.piece)}"


def _emitted(entry: MapEntry) -> str:
    piece = "" if entry.index is None else f", rule {entry.index}"
    name = f"{entry.namespace}/{entry.name}" if entry.namespace else entry.name
    return f"{entry.kind} {harmless(name)}{piece}"


def _near(miss: NearMiss, report: WhyReport, look: Look) -> Iterator[str]:
    source = report.sources.get(miss.span.file)
    place = f"{miss.span.file}:{source.position(miss.span.start).line}" if source else miss.span.file
    yield f"  {harmless(place)} {look.paint(f'`{harmless(miss.rule)}`', Style.STRONG)}"
    for one in miss.missing:
        text = f"{look.glyphs.gap} {one.field}: needs {one.needs}, has {one.has}"
        yield "    " + wrapped(harmless(text), look.width, "        ")
