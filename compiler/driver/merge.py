"""What several environments have in common is said once, with the environments that it is true of."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from meshproof.compiler.report.model import ClaimResult, Finding, TestResult

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from meshproof.dsl.diagnostic import Diagnostic

T = TypeVar("T")


def merged_findings(found: Iterable[tuple[str | None, Diagnostic]]) -> tuple[Finding, ...]:
    """One finding for all that differ in nothing but their evidence; the first environment's is kept."""
    return tuple(
        Finding(diagnostic, environments)
        for diagnostic, environments in _grouped(found, lambda diagnostic: replace(diagnostic, evidence=()))
    )


def merged_claims(results: Iterable[tuple[str | None, ClaimResult]]) -> tuple[ClaimResult, ...]:
    """One result for a claim with the same verdict, in the order of the text; the first environment's witness."""
    groups = _grouped(results, lambda result: replace(result, witness=()))
    merged = [replace(result, environments=environments) for result, environments in groups]
    return tuple(sorted(merged, key=lambda result: (result.span, result.environments)))


def merged_tests(results: Iterable[tuple[str | None, TestResult]]) -> tuple[TestResult, ...]:
    """One result for a line with the same outcome, in the order of the text."""
    groups = _grouped(results, lambda result: replace(result, requests=()))
    merged = [replace(result, environments=environments) for result, environments in groups]
    return tuple(sorted(merged, key=lambda result: (result.span, result.environments)))


def _grouped(items: Iterable[tuple[str | None, T]], key: Callable[[T], Hashable]) -> list[tuple[T, tuple[str, ...]]]:
    groups: dict[Hashable, tuple[T, dict[str, None]]] = {}
    for environment, item in items:
        _, environments = groups.setdefault(key(item), (item, {}))
        if environment is not None:
            environments[environment] = None
    return [(item, tuple(environments)) for item, environments in groups.values()]
