from __future__ import annotations

from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import Span

HERE, THERE = Span("x", 0, 1), Span("x", 5, 6)


def test_severities_are_ordered() -> None:
    assert Severity.ERROR.rank > Severity.WARNING.rank > Severity.INFO.rank


def test_the_primary_label_is_where_a_finding_is_reported() -> None:
    labels = (Label(THERE), Label(HERE, is_primary=True))

    assert Diagnostic("MP101", Severity.ERROR, "x", labels=labels).primary == HERE


def test_without_a_primary_label_it_is_the_first() -> None:
    assert Diagnostic("MP101", Severity.ERROR, "x", labels=(Label(THERE), Label(HERE))).primary == THERE


def test_a_finding_may_have_no_place() -> None:
    assert Diagnostic("MP101", Severity.ERROR, "x").primary is None
