"""Names and labels that no object of Kubernetes can have."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from meshproof.targets.istio.kubernetes import is_label

Lower = Callable[..., object]
Codes = Callable[..., list[str]]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("app", "shop", True),
        ("app.kubernetes.io/name", "Shop_1.x", True),
        ("app", "", True),
        ("a" * 63, "b" * 63, True),
        ("a" * 64, "b", False),
        ("app", "b" * 64, False),
        ("app", "a b", False),
        ("app", "-a", False),
        ("a b", "x", False),
        ("", "x", False),
        ("/name", "x", False),
        ("a/b/c", "x", False),
        ("Example.com/x", "x", False),
        ("app", "a*", False),
    ],
)
def test_labels(key: str, value: str, expected: bool) -> None:
    assert is_label(key, value) is expected


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
