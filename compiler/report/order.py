"""The order in which findings are reported: by place, worst first where several stand at one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.report.model import Finding


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """The findings by file, place, severity, code and message; those without a place come first."""
    return sorted(findings, key=_key)


def _key(finding: Finding) -> tuple[str, int, int, str, str, tuple[str, ...]]:
    diagnostic = finding.diagnostic
    span = diagnostic.primary
    file, start = (span.file, span.start) if span else ("", -1)
    return file, start, -diagnostic.severity.rank, diagnostic.code, diagnostic.message, finding.environments
