"""The findings as a code quality report of GitLab, which shows them in a merge request."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from meshproof.compiler.report.located import Located, located
from meshproof.compiler.report.order import in_order
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from meshproof.compiler.ir.json_text import Json
    from meshproof.compiler.report.look import Look
    from meshproof.compiler.report.model import Finding, Report

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


def render(report: Report, look: Look, fail_level: Severity) -> str:  # noqa: ARG001  the exit code tells
    """A JSON list of the findings that are not waived."""
    found = [_entry(one, report) for one in in_order(report.findings) if not one.diagnostic.is_waived]
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _entry(finding: Finding, report: Report) -> Json:
    diagnostic = finding.diagnostic
    # what has no place belongs to the policy as a whole, and GitLab wants a path of everything
    place = located(diagnostic.primary, report) or Located(report.folder or ".", 1, 1, 1, 1)
    help_text = "" if diagnostic.help is None else f" ({diagnostic.help})"
    return {
        "description": f"{diagnostic.message}{help_text}",
        "check_name": diagnostic.code,
        "fingerprint": diagnostic.fingerprint,
        "severity": _SEVERITIES[diagnostic.severity],
        "location": {"path": place.path, "lines": {"begin": place.line, "end": place.end_line}},
    }
