"""Losses as findings."""

from __future__ import annotations

from meshproof.compiler.backend.features import Feature, Support, support_of
from meshproof.compiler.backend.loss import Direction, Loss, to_diagnostics
from meshproof.compiler.backend.target import has_errors
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.source import Span
from meshproof.targets.istio.capabilities import CAPABILITIES


def loss(subject: str, direction: Direction = Direction.STRICTER, start: int = 0) -> Loss:
    return Loss(Feature.PATH_SEGMENTS, direction, subject, "why", Origin(Span("a.mesh", start, start + 1)))


def test_losses_of_a_kind_are_one_warning_with_a_label_each() -> None:
    (found,) = to_diagnostics((loss("a"), loss("b", start=5)), "Istio")
    assert (found.code, found.severity) == ("MP704", "warning")
    assert found.message == "Istio refuses more than `a` and 1 more says: why"
    assert [(label.span.start, label.is_primary) for label in found.labels] == [(0, True), (5, False)]
    assert not has_errors((found,))


def test_refusing_less_is_an_error() -> None:
    for direction in (Direction.LOOSER, Direction.DROPPED):
        found = to_diagnostics((loss("a", direction),), "Istio")
        assert [one.code for one in found] == ["MP703"]
        assert has_errors(found)


def test_every_feature_has_a_line_and_what_has_none_is_unsupported() -> None:
    assert {one.feature for one in CAPABILITIES} == set(Feature)
    assert support_of(CAPABILITIES, Feature.QUERY) is Support.UNSUPPORTED
    assert support_of((), Feature.ALLOW) is Support.UNSUPPORTED


def test_what_nobody_keeps_is_a_note() -> None:
    (found,) = to_diagnostics((loss("a", Direction.UNKEPT),), "App Mesh")
    assert (found.code, found.severity, found.message) == ("MP708", "info", "App Mesh does not keep all of `a`: why")
