"""The report as JSON, in the form of `schemas/report-v1.json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.ir.json_text import indented
from meshproof.compiler.ir.request_json import request_to_json
from meshproof.compiler.report.exit_code import exit_code
from meshproof.compiler.report.honesty import members
from meshproof.compiler.report.order import in_order
from meshproof.compiler.report.place_json import NOWHERE, place_json
from meshproof.compiler.report.undecided import left_open

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import ClaimResult, Compiled, Finding, Report, SecondOpinion, TestResult
    from meshproof.compiler.report.undecided import Open
    from meshproof.dsl.diagnostic import Evidence, Label, Severity
    from meshproof.dsl.source import SourceFile, Span

SCHEMA = "meshproof/report/v1"


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  JSON looks the same everywhere
    """The report as one JSON document, keys in a fixed order, two blanks a level."""
    summary = report.summary
    document: dict[str, Json] = {
        "schema": SCHEMA,
        "command": report.command,
        "policy": report.policy,
        "as_of": report.day.isoformat() if report.day else None,
        **members(report.judgement),
        "environments": list(report.environments),
        "findings": [_finding(finding, report.sources) for finding in in_order(report.findings)],
        "claims": [_claim(claim, report.sources) for claim in report.claims],
        "tests": {
            "passed": summary.passed,
            "failed": summary.failed,
            "undecided": summary.undecided,
            "lines": [_test(test, report.sources) for test in report.tests],
        },
        "summary": {
            "errors": summary.errors,
            "warnings": summary.warnings,
            "infos": summary.infos,
            "waived": summary.waived,
            "proved": summary.proved,
            "refuted": summary.refuted,
            "unknown": summary.unknown,
            "passed": summary.passed,
            "failed": summary.failed,
            "undecided": summary.undecided,
            "complete": report.is_complete,
            "undecided_because": [_open(one, report.sources) for one in left_open(report)],
            "exit_code": int(exit_code(report, fail_level)),
        },
    }
    if report.compiled is not None:
        document["compiled"] = _compiled(report.compiled)
    return indented(document) + "\n"


def _open(one: Open, sources: Mapping[str, SourceFile]) -> Json:
    return {
        "kind": one.kind.value,
        "code": one.code,
        "subject": one.subject,
        "reason": one.reason,
        **_place(one.span, sources),
    }


def _finding(finding: Finding, sources: Mapping[str, SourceFile]) -> Json:
    diagnostic = finding.diagnostic
    return {
        "code": diagnostic.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
        **_place(diagnostic.primary, sources),
        "labels": [_label(label, sources) for label in diagnostic.labels],
        "notes": list(diagnostic.notes),
        "help": diagnostic.help,
        "subject": diagnostic.subject or None,
        "evidence": [_evidence(row) for row in diagnostic.evidence if row.kind != "request"],
        "witness": _witness(diagnostic.evidence),
        "waived": diagnostic.is_waived,
        "environments": list(finding.environments),
        "fingerprint": diagnostic.fingerprint,
    }


def _place(span: Span | None, sources: Mapping[str, SourceFile]) -> dict[str, Json]:
    return NOWHERE if span is None else place_json(span, sources)


def _label(label: Label, sources: Mapping[str, SourceFile]) -> Json:
    source = sources.get(label.span.file)
    end = source.position(label.span.end) if source else None
    return {
        **_place(label.span, sources),
        "end_line": end.line if end else None,
        "end_column": end.column if end else None,
        "text": label.text,
        "primary": label.is_primary,
    }


def _evidence(row: Evidence) -> Json:
    return {"kind": row.kind, "value": row.value}


def _witness(evidence: Sequence[Evidence]) -> Json:
    request = next((row.value for row in evidence if row.kind == "request"), None)
    return None if request is None else json.loads(request)


def _requests(requests: Sequence[Request]) -> Json:
    return [request_to_json(request) for request in requests] or None


def _claim(claim: ClaimResult, sources: Mapping[str, SourceFile]) -> Json:
    opinion = claim.second_opinion
    return {
        "name": claim.name,
        "claim": claim.text,
        **_place(claim.span, sources),
        "verdict": claim.verdict.value,
        "vacuous": claim.is_vacuous,
        "assumptions": [assumption.sentence for assumption in claim.assumptions],
        "witness": _requests(claim.witness),
        "reason": claim.reason or None,
        "controls": [{"framework": control.framework, "control": control.control} for control in claim.controls],
        "waived": claim.is_waived,
        "environments": list(claim.environments),
        **({} if opinion is None else {"cross_check": _cross_check(opinion)}),
    }


def _cross_check(opinion: SecondOpinion) -> Json:
    return {
        "confirmed": opinion.is_confirmed,
        "by": list(opinion.confirmed_by),
        "undecided": list(opinion.undecided),
    }


def _test(test: TestResult, sources: Mapping[str, SourceFile]) -> Json:
    return {
        "name": test.name,
        "test": test.text,
        **_place(test.span, sources),
        "outcome": test.outcome.value,
        "expected": test.expected,
        "actual": test.actual,
        "requests": _requests(test.requests),
        "waived": test.is_waived,
        "environments": list(test.environments),
    }


def _compiled(compiled: Compiled) -> Json:
    return {
        "target": compiled.target,
        "folder": compiled.folder,
        "environment": compiled.environment,
        "files": list(compiled.files),
        "notes": list(compiled.notes),
        "judgements": [
            {"judgement": one.judgement.value, "verdict": one.verdict, "without": list(one.without)}
            for one in compiled.standings
        ],
        "residuals": [{"code": one.code, "text": one.text, "names": list(one.names)} for one in compiled.residuals],
        "dials": [
            {"caller": one.caller, "service": one.service, "port": one.port, "dials": one.dials}
            for one in compiled.dials
        ],
    }
