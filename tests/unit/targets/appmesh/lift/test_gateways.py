"""Where gateways send requests: the first route that matches, and what a router behind it says."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from tests.unit.targets.appmesh.lift.scenes import (
    WEB,
    gateway,
    gateway_route,
    listener,
    mesh_of,
    node,
    route,
    router,
    service,
    tls,
    validated,
)

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import NotModelled, decide
from meshproof.compiler.semantics import route as route_of

DAY = date(2026, 11, 25)
NODES = (node("pay", listener(9000)), node("books", listener(9000)), node("old", listener(9000)))
SERVICES = (service("pay.local", node="pay"), service("books.local", node="books"), service("nobody.local"))
KEEP = {"prefix": {"defaultPrefix": "DISABLED"}}


def _mesh(*routes: Any) -> Mesh:  # noqa: ANN401  JSON
    return mesh_of(*NODES, *SERVICES, gateway("gate", listener(80), listener(81, "http2")), *routes)


def _sent(mesh: Mesh, path: str = "/", *, port: int = 80, **more: Any) -> tuple[object, ...]:  # noqa: ANN401  JSON
    """The nodes with their shares, and the answer of the gateway."""
    request = {
        "source": {"identity": None},
        "destination": {"service": "shop/gate"},
        "port": port,
        "protocol": "http",
        "method": "GET",
        "path": path,
        "host": "shop.example",
        **more,
    }
    found = route_of(mesh, request_from_json(json.dumps(request), mesh), DAY)
    assert found is not None
    return (
        *((name.removeprefix("shop/").removesuffix(":9000"), share) for name, share in found.destinations),
        found.answer,
    )


def test_the_first_priority_that_matches_counts() -> None:
    mesh = _mesh(
        gateway_route("all", {"prefix": "/"}, "books.local", priority=5),
        gateway_route("pay", {"prefix": "/pay"}, "pay.local", priority=0, rewrite=KEEP),
    )
    assert _sent(mesh, "/pay/1") == (("pay", 100), None)
    assert _sent(mesh, "/payday") == (("pay", 100), None)
    assert _sent(mesh, "/books") == (("books", 100), None)


def test_what_no_route_takes_is_not_found() -> None:
    mesh = _mesh(gateway_route("pay", {"prefix": "/pay"}, "pay.local"))
    assert _sent(mesh, "/books") == (404,)
    assert _sent(mesh, "/pay", port=81) == (404,)


def test_a_service_that_nobody_provides_is_not_found() -> None:
    assert _sent(_mesh(gateway_route("none", {"prefix": "/"}, "nobody.local"))) == (404,)


@pytest.mark.parametrize(
    ("match", "path", "more", "taken"),
    [
        ({"path": {"exact": "/a"}}, "/a", {}, True),
        ({"path": {"exact": "/a"}}, "/a?x=1", {}, True),
        ({"path": {"exact": "/a"}}, "/a/", {}, False),
        ({"path": {"regex": "/a(/.*)?"}}, "/a/b", {}, True),
        ({"path": {"regex": "/a(/.*)?"}}, "/ab", {}, False),
        ({"path": {"exact": "/a"}}, "/b/../a", {}, True),
        ({"path": {"exact": "/a"}}, "//a", {}, True),
        ({"path": {"regex": "/public(/.*)?"}}, "/public/..%2fadmin", {}, True),
        ({"prefix": "/", "method": "POST"}, "/", {}, False),
        ({"prefix": "/", "hostname": {"exact": "Shop.Example"}}, "/", {}, True),
        ({"prefix": "/", "hostname": {"suffix": ".example"}}, "/", {}, True),
        ({"prefix": "/", "hostname": {"suffix": ".other"}}, "/", {}, False),
        ({"prefix": "/", "headers": [{"name": "X-A"}]}, "/", {"headers": {"x-a": "1"}}, True),
        ({"prefix": "/", "headers": [{"name": "x-a", "invert": True}]}, "/", {"headers": {"x-a": "1"}}, False),
        ({"prefix": "/", "headers": [{"name": "x-a", "invert": True}]}, "/", {}, True),
        ({"prefix": "/", "headers": [{"name": "x-a", "invert": True, "match": {"exact": "1"}}]}, "/", {}, False),
        (
            {"prefix": "/", "headers": [{"name": "x-a", "invert": True, "match": {"exact": "1"}}]},
            "/",
            {"headers": {"x-a": "2"}},
            True,
        ),
        ({"prefix": "/", "queryParameters": [{"name": "q", "match": {"exact": "1"}}]}, "/?q=1", {}, True),
        ({"prefix": "/", "queryParameters": [{"name": "q"}]}, "/?p=1", {}, False),
    ],
)
def test_a_match_asks_what_the_proxy_asks(match: dict[str, Any], path: str, more: dict[str, Any], taken: bool) -> None:
    mesh = _mesh(gateway_route("a", match, "pay.local", rewrite=KEEP if "prefix" in match else None))
    assert _sent(mesh, path, **more) == ((("pay", 100), None) if taken else (404,))


def test_a_range_of_a_header_is_not_modelled() -> None:
    ranged = [{"name": "x-a", "match": {"range": {"start": 1, "end": 5}}}]
    mesh = _mesh(gateway_route("a", {"prefix": "/", "headers": ranged}, "pay.local"))
    with pytest.raises(NotModelled):
        _sent(mesh, headers={"x-a": "3"})


def test_of_two_routes_with_one_priority_either_may_be_first() -> None:
    mesh = _mesh(
        gateway_route("get", {"prefix": "/", "method": "GET"}, "pay.local"),
        gateway_route("all", {"prefix": "/"}, "books.local"),
    )
    with pytest.raises(NotModelled, match="is asked first"):
        _sent(mesh)
    assert _sent(mesh, method="POST") == (("books", 100), None)


def test_a_router_behind_it_chooses_by_its_own_routes() -> None:
    mesh = _mesh(
        gateway_route("all", {"prefix": "/"}, "split.local"),
        service("split.local", router="split"),
        router("split"),
        route("beta", "split", {"prefix": "/", "headers": [{"name": "x-beta"}]}, 0, books=1),
        route("rest", "split", {"prefix": "/b"}, 1, pay=1, old=2),
    )
    assert _sent(mesh, headers={"x-beta": "y"}) == (("books", 100), None)
    assert _sent(mesh, "/b") == (("pay", 33), ("old", 67), None)
    assert _sent(mesh, "/c") == (404,)


def test_a_prefix_is_rewritten_unless_told_otherwise() -> None:
    match = {"prefix": "/pay"}
    mesh = _mesh(gateway_route("pay", match, "pay.local"))
    plain = _mesh(gateway_route("pay", match, "pay.local", rewrite=KEEP))
    other = _mesh(gateway_route("pay", match, "pay.local", rewrite={"prefix": {"value": "/v2/"}}))
    found = {
        name: [branch.settings.rewrite_path for branch in one.routes[0].branches if branch.targets]
        for name, one in (("default", mesh), ("kept", plain), ("value", other))
    }
    assert found == {"default": ["/", "/"], "kept": [None], "value": ["/v2/", "/v2/"]}


def test_a_listener_of_a_gateway_asks_for_identities_as_one_of_a_node_does() -> None:
    mesh = mesh_of(
        *NODES,
        *SERVICES,
        gateway("gate", listener(80, tls=tls("STRICT", validation=validated(WEB)))),
        gateway_route("all", {"prefix": "/"}, "pay.local"),
    )
    for identity, is_allowed in ((WEB, True), (None, False), (f"{WEB}2", False)):
        request = {
            "source": {"identity": identity},
            "destination": {"service": "shop/gate"},
            "port": 80,
            "protocol": "http",
            "method": "GET",
            "path": "/",
            "host": "a",
        }
        assert decide(mesh, request_from_json(json.dumps(request), mesh), DAY).is_allowed is is_allowed


def test_a_node_and_a_gateway_that_are_called_alike_are_two() -> None:
    closed = listener(80, tls=tls("STRICT", validation=validated(WEB)))
    mesh = mesh_of(node("pay", listener(80)), gateway("pay", closed))
    (there,), (edge,) = mesh.services, mesh.gateways
    assert there.name != edge.name
    request = {"source": {"identity": None}, "port": 80, "protocol": "http", "method": "GET", "path": "/", "host": "a"}
    answers = {}
    for name in (there.name, edge.name):
        told = request_from_json(json.dumps({**request, "destination": {"service": name}}), mesh)
        answers[name] = decide(mesh, told, DAY).is_allowed
    assert answers == {there.name: True, edge.name: False}
