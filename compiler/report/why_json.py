"""Explanations as JSON, in the form of `schemas/why-v1.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.ir.decision_json import decision_to_json
from meshproof.compiler.ir.request_json import request_to_json
from meshproof.compiler.report.honesty import members
from meshproof.compiler.report.place_json import place_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.report.model_why import DecidingRule, Emitted, Explanation, NearMiss, WhyReport
    from meshproof.dsl.source import SourceFile

SCHEMA = "meshproof/why/v1"


def render(report: WhyReport) -> str:
    """All answers as one JSON document."""
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "as_of": report.day.isoformat(),
        "environment": report.environment,
        **members(report.judgement),
        "answers": [_answer(answer, report.sources) for answer in report.answers],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _answer(answer: Explanation, sources: Mapping[str, SourceFile]) -> Json:
    return {
        "request": request_to_json(answer.request),
        "decision": decision_to_json(answer.decision, answer.outcome),
        "rules": [_rule(rule, sources) for rule in answer.rules],
        "nearest": [_near(miss, sources) for miss in answer.nearest],
    }


def _rule(rule: DecidingRule, sources: Mapping[str, SourceFile]) -> Json:
    return {
        "rule": rule.rule,
        "effect": rule.effect,
        "place": place_json(rule.span, sources),
        "emitted": [_emitted(one) for one in rule.emitted],
    }


def _near(miss: NearMiss, sources: Mapping[str, SourceFile]) -> Json:
    missing: list[Json] = [{"field": one.field, "needs": one.needs, "has": one.has} for one in miss.missing]
    return {"rule": miss.rule, "place": place_json(miss.span, sources), "missing": missing}


def _emitted(one: Emitted) -> Json:
    piece = one.piece
    return {
        "target": one.target,
        "kind": piece.kind,
        "namespace": piece.namespace,
        "name": piece.name,
        "index": piece.index,
    }
