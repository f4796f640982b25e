"""Names and labels that no object of Kubernetes can have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Lower = Callable[..., object]
Codes = Callable[..., list[str]]


@pytest.mark.parametrize(
    "text",
    [
        'service a { port http 80 labels { app: "x y" } }',
        'service a { port http 80 labels { app: "a*b" } }',
        'gateway g { hosts "x.y" port http 80 labels { "a b": "x" } }',
        'service a { namespace "K_x" }',
        'service a { name "3scale" port http 80 }',
        'namespace "q.q" { closed }',
    ],
)
def test_what_cannot_exist_stops_the_compile(codes: Codes, text: str) -> None:
    assert codes(text) == ["MP701"]


def test_a_caller_alone_may_be_called_anything(codes: Codes) -> None:
    """Nothing is made of the name of a service that nobody calls."""
    assert codes('service "3scale" { labels { app: "x" } }') == []
