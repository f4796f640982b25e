"""The findings as SARIF 2.1.0 (OASIS, 2020), for code scanning. Rules come from the ledger and from the checks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from meshproof.compiler.checks.documentation import documentation_of
from meshproof.compiler.checks.registry import find_check
from meshproof.compiler.report.exit_code import exit_code
from meshproof.compiler.report.located import Located, located
from meshproof.compiler.report.order import in_order
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.explanations import explanation_of
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import Finding, Report
    from meshproof.dsl.diagnostic import Label

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ROOT = "%SRCROOT%"


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  SARIF looks the same everywhere
    """One run, without a time or a path of the machine. What is waived is there, suppressed."""
    found = in_order(report.findings)
    codes = sorted({finding.diagnostic.code for finding in found})
    run: dict[str, Json] = {
        "tool": {"driver": {"name": "Meshproof", "version": report.version, "rules": [_rule(code) for code in codes]}},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": report.is_judged and report.is_complete,
                "exitCode": int(exit_code(report, fail_level)),
            }
        ],
        "results": [_result(finding, report, codes) for finding in found],
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _rule(code: str) -> Json:
    entry = problem(code)
    check = find_check(code)
    text = explanation_of(code) or entry.summary if check is None else documentation_of(check).markdown
    return {
        "id": code,
        "name": entry.slug,
        "shortDescription": {"text": entry.summary},
        "help": {"text": text, "markdown": text},
        "defaultConfiguration": {"level": _LEVELS[entry.severity]},
    }


def _result(finding: Finding, report: Report, codes: Sequence[str]) -> Json:
    diagnostic = finding.diagnostic
    place = located(diagnostic.primary, report)
    remarks = [*diagnostic.notes, *([f"help: {diagnostic.help}"] if diagnostic.help else [])]
    result: dict[str, Json] = {
        "ruleId": diagnostic.code,
        "ruleIndex": codes.index(diagnostic.code),
        "level": _LEVELS[diagnostic.severity],
        "message": {"text": "\n".join((diagnostic.message, *remarks))},
        "locations": [] if place is None else [{"physicalLocation": _location(place)}],
        "relatedLocations": _related(diagnostic.labels, report),
        "partialFingerprints": {"meshproof/v1": diagnostic.fingerprint},
        "suppressions": [{"kind": "external", "status": "accepted"}] if diagnostic.is_waived else [],
    }
    requests = [json.loads(row.value) for row in diagnostic.evidence if row.kind == "request"]
    result["properties"] = {"environments": list(finding.environments), "requests": requests}
    return result


def _related(labels: Sequence[Label], report: Report) -> list[Json]:
    places = ((label, located(label.span, report)) for label in labels if not label.is_primary)
    return [
        {"id": number, "physicalLocation": _location(place), "message": {"text": label.text or "see here"}}
        for number, (label, place) in enumerate(((label, place) for label, place in places if place), start=1)
    ]


def _location(place: Located) -> Json:
    return {
        "artifactLocation": {"uri": quote(place.path), "uriBaseId": _ROOT},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.end_line,
            "endColumn": place.end_column,
        },
    }
