"""What method and path decide alone is what the whole way decides, by the interpreter too, be the rules few or many."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import decide
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.facts import Incoming, Wire

DAY = date(2026, 11, 26)
FRONT = "spiffe://shop.example/ns/shop/sa/front"
HEAD = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service shop { port http 80 -> 8080 }
"""
SEGMENTS = ("a", "b", "*")
METHODS = ("GET", "POST", "GET|PUT", "*")
OPERATIONS = st.tuples(
    st.sampled_from(METHODS),
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=3).map("/".join),
    st.sampled_from(["", "/**"]),
).map(lambda one: f"{one[0]} /{one[1]}{one[2]}")
PATHS = st.lists(st.sampled_from(["a", "b", "c", "", ".."]), max_size=4).map(lambda some: "/" + "/".join(some))


ASKED = st.lists(st.tuples(st.sampled_from(["GET", "PUT", "DELETE", "CONNECT"]), PATHS), min_size=1, max_size=12)


def _mesh(operations: list[str], more: str = "") -> Mesh:
    rules = "".join(f"allow r{number}: front -> shop:http {{ {one} }}\n" for number, one in enumerate(operations))
    [mesh] = policy_of_texts({"m.mesh": HEAD + rules + more}).meshes
    return mesh


@given(operations=st.lists(OPERATIONS, max_size=12), asked=ASKED)
@example(operations=["GET /a", "GET /a", "* /a/**", "POST /b", "GET /b/*"], asked=[("GET", "/a"), ("PUT", "/a/b")])
def test_it_is_what_the_interpreter_decides(operations: list[str], asked: list[tuple[str, str]]) -> None:
    mesh = _mesh(operations)
    connection = Engine(mesh).connect(Wire(), FRONT, (NodeName("shop"), 8080), DAY)
    for method, path in asked:
        request = Request(
            Peer(FRONT), NodeName("shop"), 8080, RequestProtocol.HTTP, method=method, path=path, host="shop"
        )
        expected = decide(mesh, request, DAY)
        found = connection.plain(method, path)
        assert found == expected or (found is None and len(expected.determined_by) > 1), request
        assert connection.decide(Incoming(method, path, "shop")) == expected


@pytest.mark.parametrize("count", [1, 4, 5, 50])
@pytest.mark.parametrize(
    "more",
    [
        "deny no-debug: anyone -> shop { * /debug }",
        'allow odd: front -> shop:http { GET /odd when header["x"] == "1" }',
        'allow shapes: front -> shop:http { when path matches re"/x+" }',
        (
            'authorizer opa { address "opa:9191"  protocol http  timeout 100ms }\n'
            "ask ask-opa: front -> shop:http { GET /ask via opa }"
        ),
    ],
)
def test_whatever_else_may_decide_goes_the_whole_way(count: int, more: str) -> None:
    operations = [f"GET /r{number}" for number in range(count)]
    place = (NodeName("shop"), 8080)
    plain = Engine(_mesh(operations)).connect(Wire(), FRONT, place, DAY).plain("GET", "/r0")
    assert plain is not None
    assert plain.is_allowed
    assert Engine(_mesh(operations, more)).connect(Wire(), FRONT, place, DAY).plain("GET", "/r0") is None


def test_a_caller_that_does_not_stand_is_refused_by_transport() -> None:
    connection = Engine(_mesh([f"GET /r{number}" for number in range(9)])).connect(
        Wire(), None, (NodeName("shop"), 8080), DAY
    )
    assert connection.plain("GET", "/r0") is None
    assert connection.decide(Incoming("GET", "/r0", "shop")).reason is Reason.TRANSPORT
