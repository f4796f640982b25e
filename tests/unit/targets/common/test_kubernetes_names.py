"""Names and labels that Kubernetes can hold."""

from __future__ import annotations

import pytest

from meshproof.targets.common.kubernetes_names import is_label, is_namespace


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
    ("name", "expected"),
    [
        ("shop", True),
        ("3-shop", True),
        ("a" * 63, True),
        ("a" * 64, False),
        ("K", False),
        ("a.b", False),
        ("a-", False),
    ],
)
def test_namespaces(name: str, expected: bool) -> None:
    assert is_namespace(name) is expected
