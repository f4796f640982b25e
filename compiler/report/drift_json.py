"""Drift as JSON, in the form of `schemas/drift-v1.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.report import diff_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.backend.target import LiftedObject
    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.report.model_drift import DriftReport

SCHEMA = "meshproof/drift/v1"


def render(report: DriftReport) -> str:
    """The comparison as one JSON document, the difference in the form of `meshproof/diff/v1`."""
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "drifted": report.has_drifted,
        "missing": _objects(report.missing),
        "foreign": _objects(report.foreign),
        "dry_run": _objects(report.tried),
        "difference": json.loads(diff_json.render(report.difference, None)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _objects(objects: Sequence[LiftedObject]) -> Json:
    return [{"kind": one.kind, "namespace": one.namespace, "name": one.name} for one in objects]
