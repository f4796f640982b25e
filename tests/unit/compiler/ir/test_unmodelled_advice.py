"""What people are told of what is not modelled: the field as they wrote it, and a way out where there is one."""

from __future__ import annotations

import pytest

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.unmodelled_advice import advice_for, plain_field
from meshproof.compiler.semantics import NotModelled
from meshproof.dsl.source import Span

ORIGIN = Origin(Span("a.yaml", 0, 1))


@pytest.mark.parametrize(
    ("field", "plain", "word"),
    [
        ("tls.mode AUTO_PASSTHROUGH (allow)", "tls.mode AUTO_PASSTHROUGH", "`PASSTHROUGH`"),
        ("waypoint shop (deny)", "waypoint shop", "`targetRefs`"),
        ("what stands behind a.b.svc (allow)", "what stands behind a.b.svc", "give the files"),
    ],
)
def test_a_field_with_a_way_out_names_it(field: str, plain: str, word: str) -> None:
    assert plain_field(field) == plain
    told = NotModelled(field, ORIGIN).told
    assert f"`{plain}`, which is not modelled: " in told
    assert word in told


def test_another_field_is_named_alone() -> None:
    assert advice_for("meshConfig (deny)") is None
    assert (
        NotModelled("meshConfig (deny)", ORIGIN).told == "the decision depends on `meshConfig`, which is not modelled"
    )
