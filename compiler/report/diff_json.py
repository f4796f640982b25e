"""A comparison as JSON, in the form of `schemas/diff-v1.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.json_text import indented
from meshproof.compiler.ir.request_json import request_to_json
from meshproof.compiler.report.diff_exit_code import diff_exit_code
from meshproof.compiler.report.place_json import place_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshproof.compiler.ir.decision import Decision
    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.report.model_diff import DiffReport, EditReport, FailOn, RegionReport
    from meshproof.dsl.source import SourceFile, Span

SCHEMA = "meshproof/diff/v1"


def render(report: DiffReport, fail_on: FailOn | None) -> str:
    """The comparison as one JSON document, keys in a fixed order, two blanks a level."""
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "old": report.old,
        "new": report.new,
        "policy": report.policy,
        "as_of": report.day.isoformat(),
        "environment": report.environment,
        "verdict": report.verdict.value,
        "newly_allowed": [_region(region, report) for region in report.newly_allowed],
        "newly_denied": [_region(region, report) for region in report.newly_denied],
        "rerouted": [_region(region, report) for region in report.rerouted],
        "complete": report.is_complete,
        "undecided": [{"subject": one.subject, "reason": one.reason} for one in report.undecided],
        "without_effect": [_edit(edit, report) for edit in report.silent],
        "notes": list(report.notes),
        "exit_code": int(diff_exit_code(report, fail_on)),
    }
    return indented(document) + "\n"


def _region(region: RegionReport, report: DiffReport) -> Json:
    return {
        "region": {
            "text": region.text,
            "sources": list(region.sources),
            "destinations": list(region.destinations),
            "operations": list(region.operations),
            "conditions": list(region.conditions),
        },
        "witness": None if region.witness is None else request_to_json(region.witness),
        "old": _decision(region.old),
        "new": _decision(region.new),
        "before": list(region.before),
        "after": list(region.after),
        "rules": [_edit(edit, report) for edit in region.rules],
        "also": [_edit(edit, report) for edit in region.also],
        "decided_by": list(region.decided_by),
    }


def _decision(decision: Decision | None) -> Json:
    if decision is None:
        return None
    return {
        "decision": "allow" if decision.is_allowed else "deny",
        "reason": decision.reason.value,
        "by": [str(rule) for rule in decision.determined_by],
    }


def _edit(edit: EditReport, report: DiffReport) -> Json:
    return {
        "kind": edit.kind,
        "name": edit.subject,
        "change": edit.change.value,
        "old": _place(edit.old, report.old_sources),
        "new": _place(edit.new, report.new_sources),
    }


def _place(span: Span | None, sources: Mapping[str, SourceFile]) -> Json:
    return None if span is None else place_json(span, sources)
