"""What came of an import as JSON, in the form of `schemas/import-v1.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.ir.request_json import request_to_json

if TYPE_CHECKING:
    from pathlib import Path

    from meshproof.compiler.express import Untaken
    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.report.model_import import Imported
    from meshproof.compiler.verify.semantic_diff_values import DiffRegion, SemanticDiff
    from meshproof.dsl.source import Span

SCHEMA = "meshproof/import/v1"


def render(found: Imported, file: Path | None) -> str:
    """Everything; the policy's text too, whether or not it was written to `file`."""
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "from": found.origin,
        "as_of": found.day.isoformat(),
        "file": None if file is None else file.as_posix(),
        "policy": found.text,
        "taken": dict(found.taken),
        "untaken": [_untaken(one, found) for one in found.untaken],
        "difference": None if found.difference is None else _difference(found.difference),
        "notes": list(found.notes),
        "skipped": dict(found.skipped),
        "exit_code": int(found.exit_code),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _untaken(one: Untaken, found: Imported) -> Json:
    return {"subject": one.subject, "reason": one.reason, **_place(one.origin.span, found)}


def _place(span: Span, found: Imported) -> dict[str, Json]:
    source = found.sources.get(span.file)
    position = None if source is None else source.position(span.start)
    return {
        "path": span.file or None,
        "line": None if position is None else position.line,
        "column": None if position is None else position.column,
    }


def _difference(difference: SemanticDiff) -> Json:
    return {
        "verdict": difference.verdict.value,
        "newly_allowed": [_region(one) for one in difference.newly_allowed],
        "newly_denied": [_region(one) for one in difference.newly_denied],
        "rerouted": [_region(one) for one in difference.rerouted],
        "undecided": [{"subject": one.subject, "reason": one.reason} for one in difference.undecided],
        "complete": difference.is_complete,
    }


def _region(region: DiffRegion) -> Json:
    witness = region.witness
    rules: list[Json] = [] if witness is None else [str(rule) for rule in witness.decided_by]
    return {
        "sources": list(region.sources),
        "destinations": list(region.destinations),
        "operations": list(region.operations),
        "conditions": list(region.conditions),
        "witness": None if witness is None else request_to_json(witness.request),
        "rules": rules,
    }
