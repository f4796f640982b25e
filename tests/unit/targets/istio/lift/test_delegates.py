"""Delegates: merged into the rule that names them, and left out where both cannot hold."""

from __future__ import annotations

from typing import Any

import pytest
from tests.strategies.istio_lifting import read
from tests.strategies.istio_routes import SHOP, SUBSETS, outcome, sent, shop, virtual_service

V1, V2 = {"v1": 100}, {"v2": 100}
ROUTE = "route: [{destination: {host: api, subset: v2}}]"


def delegated(root: str, *rules: str, exported: str = "") -> tuple[str, ...]:
    """A root whose first rule is the delegate's; what that one does not take goes to v1."""
    first = f"{root}, delegate: {{name: inner}}" if root else "delegate: {name: inner}"
    last = "{route: [{destination: {host: api, subset: v1}}]}"
    return (
        SUBSETS,
        virtual_service(f"hosts: [api]\nhttp: [{{{first}}}, {last}]"),
        virtual_service(f"{exported}\nhttp: [{', '.join(rules)}]", "inner"),
    )


CASES: list[tuple[str, str, dict[str, Any], bool]] = [
    ("match: [{uri: {prefix: /a}}]", "", {"path": "/a/x"}, True),
    ("match: [{uri: {prefix: /a}}]", "", {"path": "/b"}, False),
    ("", "match: [{uri: {prefix: /b}}]", {"path": "/b"}, True),
    ("match: [{uri: {prefix: /a}}]", "match: [{uri: {prefix: /a/b}}]", {"path": "/a/b"}, True),
    ("match: [{uri: {prefix: /a}}]", "match: [{uri: {prefix: /a/b}}]", {"path": "/a/c"}, False),
    ("match: [{uri: {prefix: /a}}]", "match: [{uri: {exact: /a/b}}]", {"path": "/a/b"}, True),
    ("match: [{uri: {prefix: /a}}]", "match: [{uri: {prefix: /b}}]", {"path": "/b"}, False),
    ("match: [{uri: {exact: /a}}]", "match: [{uri: {prefix: /a}}]", {"path": "/a"}, False),
    # "regex on either side always conflicts when both set the field"
    ("match: [{uri: {regex: '/a.*'}}]", "match: [{uri: {prefix: /a}}]", {"path": "/a"}, False),
    ("match: [{uri: {prefix: /a}}]", "match: [{uri: {regex: '/a.*'}}]", {"path": "/a"}, False),
    ("match: [{uri: {regex: '/a'}}]", "match: [{uri: {regex: '/a'}}]", {"path": "/a"}, False),
    (
        "match: [{uri: {prefix: /a}}]",
        "match: [{headers: {x: {exact: y}}}]",
        {"path": "/a", "headers": {"x": "y"}},
        True,
    ),
    ("match: [{uri: {prefix: /a}}]", "match: [{headers: {x: {exact: y}}}]", {"path": "/a"}, False),
    ("match: [{uri: {prefix: /a}, ignoreUriCase: true}]", "match: [{uri: {prefix: /a/b}}]", {"path": "/a/b"}, False),
    ("match: [{port: 80}]", "match: [{port: 81}]", {}, False),
    ("match: [{sourceNamespace: shop}]", "match: [{method: {exact: GET}}]", {}, False),
    ("match: [{sourceNamespace: shop}]", "match: [{sourceNamespace: shop}]", {}, True),
    # One item of the delegate that agrees with none of the root's takes its whole rule away.
    (
        "match: [{uri: {prefix: /a}}]",
        "match: [{uri: {prefix: /a/b}}, {uri: {prefix: /z}}]",
        {"path": "/a/b"},
        False,
    ),
    (
        "match: [{uri: {prefix: /a}}, {uri: {prefix: /z}}]",
        "match: [{uri: {prefix: /z/y}}]",
        {"path": "/z/y"},
        True,
    ),
]


@pytest.mark.parametrize(("root", "own", "fields", "is_taken"), CASES)
def test_matches_are_merged(root: str, own: str, fields: dict[str, Any], is_taken: bool) -> None:
    rule = f"{{{own}, {ROUTE}}}" if own else f"{{{ROUTE}}}"
    assert sent(shop(*delegated(root, rule)), **fields) == (V2 if is_taken else V1)


def test_other_fields_are_the_delegates_and_else_the_roots() -> None:
    root = "timeout: 1s, rewrite: {uri: /root}, headers: {request: {set: {x-a: root, x-b: root}}}"
    own = f"{{timeout: 2s, headers: {{request: {{set: {{x-a: own}}}}}}, {ROUTE}}}"
    found = outcome(shop(*delegated(root, own)))
    assert found is not None
    assert found.timeout_ms == 2000
    assert found.path == "/root"
    assert sorted((edit.name, edit.value) for edit in found.headers) == [("x-a", "own"), ("x-b", "root")]


def test_a_delegate_must_be_there_without_hosts_and_visible() -> None:
    objects = delegated("", f"{{{ROUTE}}}")
    assert sent(shop(*objects)) == V2
    assert sent(shop(*objects[:2])) == V1
    assert sent(shop(*delegated("", f"{{{ROUTE}}}", exported="exportTo: [batch]"))) == V1
    messages = [one.message for one in read(SHOP + "".join(objects[:2])).diagnostics]
    assert "the delegate `shop/inner` of `shop/routes` is no VirtualService without hosts" in messages


def test_the_branch_says_both_places() -> None:
    found = outcome(shop(*delegated("", f"{{{ROUTE}}}")))
    assert found is not None
    assert str(found.branch).startswith("shop/inner[0] of shop/routes[0]@")
