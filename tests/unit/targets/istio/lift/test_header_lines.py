"""Headers that Envoy joins, takes away or writes, whatever Istio's documents say of them."""

from __future__ import annotations

import pytest
from tests.strategies.istio_lifting import allows, api, policy

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Header, JoinedHeader
from meshproof.compiler.semantics import NotModelled
from meshproof.targets.istio.lift.header_lines import header_of, is_seen


def _when(name: str, value: str, field: str = "values") -> Mesh:
    return api(policy(f'rules: [{{when: [{{key: "request.headers[{name}]", {field}: ["{value}"]}}]}}]'))


@pytest.mark.parametrize("name", ["user-agent", "User-Agent", "accept", "content-type", "origin"])
def test_lines_of_some_headers_are_one_value(name: str) -> None:
    twice = ((name.lower(), "0"), (name.lower(), "1"))
    assert allows(_when(name, "1"), headers=twice[1:])
    assert not allows(_when(name, "1"), headers=twice)
    assert allows(_when(name, "0,1"), headers=twice)
    assert allows(_when(name, "1", "notValues"), headers=twice)


@pytest.mark.parametrize("name", ["te", "upgrade", "connection", "x-request-id"])
def test_what_no_matcher_sees_as_it_was_sent_is_unknown(name: str) -> None:
    with pytest.raises(NotModelled):
        allows(_when(name, "1"), headers=((name, "1"),))


def test_other_headers_are_a_line_each() -> None:
    assert header_of("x-a", has_joined_headers=False) == Header("x-a")
    assert header_of("x-a", has_joined_headers=True) == JoinedHeader("x-a")
    assert header_of("user-agent", has_joined_headers=False) == JoinedHeader("user-agent")
    assert is_seen("x-a")
