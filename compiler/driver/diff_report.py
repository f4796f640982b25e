"""A comparison as a report has it: plain values, with the places of both sides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.report.model_diff import (
    DiffReport,
    EditChange,
    EditReport,
    RegionReport,
    UndecidedReport,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.verify.semantic_diff_values import DiffRegion, Edit, Routing, SemanticDiff


def with_found(report: DiffReport, found: SemanticDiff) -> DiffReport:
    """The report with what was found."""
    return replace(
        report,
        verdict=Verdict(found.verdict.value),
        newly_allowed=tuple(map(_region, found.newly_allowed)),
        newly_denied=tuple(map(_region, found.newly_denied)),
        rerouted=tuple(map(_region, found.rerouted)),
        undecided=tuple(UndecidedReport(one.subject, one.reason) for one in found.undecided),
        silent=_edits(found.silent),
        notes=found.notes,
        is_complete=found.is_complete,
    )


def _region(region: DiffRegion) -> RegionReport:
    witness = region.witness
    return RegionReport(
        text=region_text(region),
        sources=region.sources,
        destinations=region.destinations,
        operations=region.operations,
        conditions=region.conditions,
        rules=_edits(region.blame),
        also=_edits(region.also),
        witness=None if witness is None else witness.request,
        deciding=() if witness is None else witness.deciding,
        old=None if witness is None else witness.old,
        new=None if witness is None else witness.new,
        before=_routing(region.before),
        after=_routing(region.after),
    )


def region_text(region: DiffRegion) -> str:
    """The region on one line, in the form of a rule."""
    parts = [f"{', '.join(region.sources)} -> {', '.join(region.destinations)}"]
    if region.operations:
        parts.append(f"{{ {'; '.join(region.operations)} }}")
    if region.conditions:
        parts.append(f"{', ' if region.is_rest else 'when '}{' and '.join(region.conditions)}".removeprefix(", "))
    return " ".join(parts)


def _routing(routing: Routing | None) -> tuple[str, ...]:
    if routing is None:
        return ()
    return (*((routing.destinations,) if routing.destinations else ()), *routing.settings)


def _edits(edits: Iterable[Edit]) -> tuple[EditReport, ...]:
    return tuple(
        EditReport(
            edit.kind.value,
            edit.subject,
            EditChange.ADDED if edit.is_added else EditChange.REMOVED if edit.is_removed else EditChange.CHANGED,
            None if edit.old is None else edit.old.span,
            None if edit.new is None else edit.new.span,
        )
        for edit in edits
    )
