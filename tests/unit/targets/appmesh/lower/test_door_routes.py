"""A permission as ordered routes."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.app_mesh_doors import CALLER
from tests.strategies.policy_text import mesh_of

from meshproof.targets.appmesh.lower.door_routes import Routed, door_routes
from meshproof.targets.appmesh.lower.rows import rows

DAY = date(2026, 11, 26)
SERVICES = "service web {}\nservice api { port http 8080 }\n"


def _routed(text: str) -> Routed:
    (row,) = rows(mesh_of(SERVICES + text), DAY)
    return door_routes(next(one for identity, one in row.known if identity.uri == CALLER))


def _said(text: str) -> list[str]:
    found = _routed(text)
    assert not found.problems
    said = []
    for one in found.routes:
        parts = ["allow" if one.is_allowed else "refuse", one.method or "*", one.path.text if one.path else "*"]
        parts += [f"{'not ' if form.is_inverted else ''}{form.name}:{form.kind}" for form in one.headers]
        parts += [f"{form.name}={form.value}" for form in one.queries]
        said.append(" ".join(parts))
    return said


def _reasons(text: str) -> list[str]:
    return [str(error) for _, error in _routed(text).problems]


def test_one_route_for_each_method_and_all_paths_of_it() -> None:
    assert _said("allow a: web -> api { GET|POST /a\n GET /b }") == ["allow GET /a|/b", "allow POST /a"]


def test_a_deny_stands_first_if_some_allowed_request_meets_it() -> None:
    assert _said("allow a: web -> api { * /a }\ndeny b: web -> api { DELETE /** }") == [
        "refuse DELETE /.*",
        "allow * /a",
    ]
    assert _said("allow a: web -> api { GET /a }\ndeny b: web -> api { DELETE /** }") == ["allow GET /a"]
    assert _said("allow a: web -> api { GET /a }\ndeny b: web -> api { * /b/** }") == ["allow GET /a"]


def test_what_a_deny_leaves_out_is_allowed_in_front_of_it() -> None:
    said = _said("allow a: web -> api { * /a\n * /b }\ndeny b: web -> api { unless path in /a }")
    assert said == ["allow * /a"]


def test_a_value_that_must_not_be_is_refused_with_all_that_may_hide_it() -> None:
    said = _said('allow a: web -> api { GET /a  when header["h"] != "v" }')
    assert said == ["refuse GET /a not h:regex", "refuse GET /a h:exact", "allow GET /a"]
    (loss, repeated) = _routed('allow a: web -> api { GET /a  when header["h"] != "v" }').losses
    assert (loss.repeated, repeated.repeated) == (None, "h")


def test_a_parameter_that_must_not_have_a_value_must_not_be() -> None:
    found = _routed('allow a: web -> api { GET /a  when query["x"] != "1" }')
    assert _said('allow a: web -> api { GET /a  when query["x"] != "1" }') == ["refuse GET /a x=None", "allow GET /a"]
    assert [loss.subject for loss in found.losses] == ["a"]


def test_methods_are_counted_where_one_is_refused_that_no_match_can_name() -> None:
    said = _said('allow a: web -> api { * /a  when method != "PURGE" }')
    assert len(said) == 8
    assert all(one.startswith("allow ") for one in said)
    assert _reasons("allow a: web -> api { PURGE /a }")[0].startswith("matches of routes know the methods")


def test_a_slash_at_the_root_is_refused_as_envoy_sees_it() -> None:
    said = _said("allow a: web -> api { GET /** }\ndeny b: web -> api { * / }")
    assert said[0] == "refuse * (?:/)|//"


def test_an_expression_is_taken_without_escaped_slashes() -> None:
    said = _said('allow a: web -> api { GET /a/**  when path matches re"/a/[0-9]+" }')
    assert said == ["refuse * .*%(?:2[Ff]|5[Cc]).*", "allow GET /a/[0-9]+"]


def test_what_a_route_refuses_for_another_condition_is_listed() -> None:
    found = _routed(
        'allow a: web -> api { * /a  unless has query["x"] }\nallow b: web -> api { unless has header["h"] }'
    )
    assert any(loss.subject == "b" and "in front of another" in loss.message for loss in found.losses)


@pytest.mark.parametrize(
    "rule",
    [
        'when header["h"] == "a,b"',
        'when query["x"] startswith "a"',
        "GET /{a}/{b}/{c}/{d}/{e}/{f}",
        f'when header["{"h" * 51}"] == "a"',
        f'when header["h"] == "{"a" * 256}"',
        'when path startswith "/a" and path endswith "b"',
        "GET /a%7Bb",
    ],
)
def test_what_no_match_can_say_is_told(rule: str) -> None:
    assert _reasons(f"allow a: web -> api {{ {rule} }}")
