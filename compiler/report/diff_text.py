"""A comparison for people: newly allowed first, each region with the edit to blame and a request that shows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.report.look import Look, Style, harmless, width_of, wrapped
from meshproof.compiler.report.model_diff import EditChange, Verdict
from meshproof.compiler.report.outcome_text import decision_text
from meshproof.compiler.report.request_text import request_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from meshproof.compiler.report.model_diff import DiffReport, EditReport, RegionReport
    from meshproof.dsl.source import SourceFile, Span

_MOST_OPERATIONS = 12


def render(report: DiffReport, look: Look) -> str:
    """The comparison as text, a line end at its end."""
    sections = [
        _section("Newly allowed", "+", Style.ERROR, report.newly_allowed, report, look),
        _section("Newly denied", "-", Style.WARNING, report.newly_denied, report, look),
        _section("Rerouted", "~", Style.INFO, report.rerouted, report, look),
        _undecided(report, look),
    ]
    if look.verbosity >= 0:
        sections += [_silent(report, look), _notes(report, look)]
    sections.append(list(_summary(report, look)))
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _section(
    title: str, sign: str, style: Style, regions: Sequence[RegionReport], report: DiffReport, look: Look
) -> list[str]:
    if not regions:
        return []
    lines = [look.paint(title, style)]
    for region in regions:
        lines += _region(region, look.paint(sign, style), report, look)
    return lines


def _region(region: RegionReport, sign: str, report: DiffReport, look: Look) -> Iterator[str]:
    operations = region.operations
    head = f"{_listed(region.sources)} -> {_listed(region.destinations)}"
    inline = operations[0] if len(operations) == 1 else ""
    room = None if look.width is None else look.width - 4
    if inline and room is not None and width_of(head) + width_of(inline) + 2 > room:
        inline = ""
    text = wrapped(harmless(f"{head}  {inline}" if inline else head), look.width, "    ")
    yield f"  {sign} {look.paint(text, Style.STRONG)}"
    if not inline:
        shown = operations if look.verbosity > 0 else operations[:_MOST_OPERATIONS]
        yield from (f"        {wrapped(harmless(operation), look.width, ' ' * 10)}" for operation in shown)
        if len(shown) < len(operations):
            yield f"        {look.glyphs.cut} {len(operations) - len(shown)} more operations (-v shows all)"
    for condition in region.conditions:
        yield f"        {wrapped(harmless(condition), look.width, ' ' * 10)}"
    yield from _moves(region, look)
    yield from _blame(region, report, look)
    yield from _example(region, report, look)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _moves(region: RegionReport, look: Look) -> Iterator[str]:
    """Where it went, and where it goes."""
    for word, parts in (("was", region.before), ("now", region.after)):
        if region.before or region.after:
            text = "; ".join(parts) or "without that"
            yield f"      {word} {wrapped(harmless(text), look.width, ' ' * 10)}"


def _blame(region: RegionReport, report: DiffReport, look: Look) -> Iterator[str]:
    for lead, edits in (("by", region.rules), ("with", region.also)):
        for edit in edits:
            text = f"{edit_text(edit)}{_where(edit, report)}"
            yield f"      {look.paint(lead, Style.FAINT)} {wrapped(harmless(text), look.width, ' ' * 10)}"


def edit_text(edit: EditReport) -> str:
    """What was edited and how, such as "rule `ads`, changed"."""
    subject = f" `{edit.subject}`" if edit.subject else ""
    return f"{edit.kind}{subject}, {edit.change}"


def _where(edit: EditReport, report: DiffReport) -> str:
    """The place where it stands; of what is gone, where it stood."""
    new = place_text(edit.new, report.new_sources)
    old = place_text(edit.old, report.old_sources)
    if edit.change is EditChange.REMOVED or not new:
        return f"  {old} (before)" if old else ""
    return f"  {new}"


def place_text(span: Span | None, sources: Mapping[str, SourceFile]) -> str:
    """`FILE:LINE`, empty where there is no place."""
    if span is None:
        return ""
    source = sources.get(span.file)
    return span.file if source is None else f"{span.file}:{source.position(span.start).line}"


def _example(region: RegionReport, report: DiffReport, look: Look) -> Iterator[str]:
    request = region.witness
    if request is None or look.verbosity < 0:
        return
    if "host" not in region.deciding:
        request = replace(request, host=None)
    text = wrapped(harmless(request_text(request, report.identities)), look.width, " " * 10)
    yield f"      {look.paint('e.g.', Style.FAINT)} {text}"
    outcomes = []
    if region.old is not None:
        outcomes.append(f"was {decision_text(region.old)}")
    if region.new is not None:
        outcomes.append(f"now {decision_text(region.new)}")
    if outcomes and not (region.before or region.after):
        text = wrapped(harmless(", ".join(outcomes)), look.width, " " * 11)
        yield f"           {look.paint(text, Style.FAINT) if look.width is None else text}"


def _undecided(report: DiffReport, look: Look) -> list[str]:
    if not report.undecided:
        return []
    lines = [look.paint("Not known", Style.WARNING)]
    for one in report.undecided:
        text = wrapped(harmless(f"{one.subject}: {one.reason}"), look.width, "    ")
        lines.append(f"  {look.paint(look.glyphs.unsure, Style.WARNING)} {text}")
    return lines


def _silent(report: DiffReport, look: Look) -> list[str]:
    if not report.silent:
        return []
    lines = [look.paint("Edited without effect on any request", Style.STRONG)]
    shown = report.silent if look.verbosity > 0 else report.silent[:_MOST_OPERATIONS]
    for edit in shown:
        text = wrapped(harmless(f"{edit_text(edit)}{_where(edit, report)}"), look.width, "    ")
        lines.append(f"  {look.glyphs.gap} {text}")
    if len(shown) < len(report.silent):
        lines.append(f"  {look.glyphs.cut} {len(report.silent) - len(shown)} more (-v shows all)")
    return lines


def _notes(report: DiffReport, look: Look) -> list[str]:
    return [f"{look.paint('note', Style.NOTE)}: {wrapped(harmless(note), look.width, '  ')}" for note in report.notes]


def _summary(report: DiffReport, look: Look) -> Iterator[str]:
    counts = (
        (len(report.newly_allowed), "newly allowed"),
        (len(report.newly_denied), "newly denied"),
        (len(report.rerouted), "rerouted"),
    )
    counted = [f"{number} {word}" for number, word in counts if number] or ["no difference"]
    if report.is_complete:
        style = Style.GOOD if report.verdict is Verdict.EQUAL else Style.STRONG
        counted.insert(0, f"{look.paint(report.verdict.value, style)}, {_meaning(report)}")
    else:
        yield look.paint("incomplete", Style.WARNING) + ": what is not known may differ too"
    name = harmless(report.policy) or "policy"
    where = f" in {report.environment}" if report.environment else ""
    is_told = report.verdict is Verdict.EQUAL and report.is_complete
    text = f"{name}{where} as of {report.day.isoformat()}: {'; '.join(counted[:1] if is_told else counted)}"
    yield wrapped(text, look.width, "  ")


def _meaning(report: DiffReport) -> str:
    match report.verdict:
        case Verdict.EQUAL:
            return "no request is treated otherwise"
        case Verdict.TIGHTER:
            return "nothing is newly allowed"
        case Verdict.LOOSER:
            return "nothing is newly denied"
        case Verdict.INCOMPARABLE:
            is_same = not report.newly_allowed and not report.newly_denied
            return "what is allowed is the same" if is_same else "neither allows all that the other does"
