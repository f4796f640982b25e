from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from tests.unit.targets.appmesh.closed import meshes, read_back

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.together import Quotas, misfits
from meshproof.targets.appmesh.values import Value

LISTENERS = [{"portMapping": {"port": 8080, "protocol": "http"}}, {"portMapping": {"port": 9090, "protocol": "grpc"}}]


def _one(shape: type[Any], own: Mapping[str, str], spec: object) -> Any:  # noqa: ANN401  whatever the shape is
    return read_back(shape, {"meshName": "shop", **own, "spec": spec})


def _node(name: str, *backends: str) -> VirtualNode:
    called = [{"virtualService": {"virtualServiceName": one}} for one in backends]
    found: VirtualNode = _one(VirtualNode, {"virtualNodeName": name}, {"listeners": LISTENERS, "backends": called})
    return found


def _route(name: str, match: Mapping[str, object], port: int | None = None, router: str = "r") -> Route:
    target = {"virtualNode": "catalog", "weight": 1, **({} if port is None else {"port": port})}
    spec = {"httpRoute": {"match": {"prefix": "/", **match}, "action": {"weightedTargets": [target]}}}
    found: Route = _one(Route, {"routeName": name, "virtualRouterName": router}, spec)
    return found


def _gateway_route(name: str, port: int) -> GatewayRoute:
    action = {"target": {"virtualService": {"virtualServiceName": "catalog.svc"}}}
    spec = {"httpRoute": {"match": {"prefix": "/", "port": port}, "action": action}}
    found: GatewayRoute = _one(GatewayRoute, {"gatewayRouteName": name, "virtualGatewayName": "g"}, spec)
    return found


BACKENDS, SERVICE_NAME = "spec.backends", ".virtual_service.virtual_service_name"
SERVICE = {"provider": {"virtualRouter": {"virtualRouterName": "r"}}}
SHOP: tuple[Value, ...] = (
    Mesh("shop"),
    _node("front", "catalog.svc"),
    _node("catalog"),
    _one(VirtualRouter, {"virtualRouterName": "r"}, {"listeners": LISTENERS}),
    _one(VirtualService, {"virtualServiceName": "catalog.svc"}, SERVICE),
    _route("all", {"port": 8080}, port=8080),
    _one(VirtualGateway, {"virtualGatewayName": "g"}, {"listeners": LISTENERS[:1]}),
    _gateway_route("in", 8080),
)


def _said(*resources: Value, quotas: Quotas | None = None) -> list[tuple[str, str]]:
    found = misfits(resources) if quotas is None else misfits(resources, quotas)
    return [(".".join(map(str, one.path)), one.message) for one in found]


def test_what_fits_is_passed_over() -> None:
    assert _said(*SHOP) == []


@pytest.mark.parametrize("left_out", range(len(SHOP)))
def test_each_that_is_left_out_is_missed_by_those_who_name_it(left_out: int) -> None:
    gone = key_of(SHOP[left_out])
    found = misfits([one for one in SHOP if key_of(one) != gone])

    is_named = gone.kind in {"Mesh", "VirtualRouter", "VirtualService", "VirtualGateway"} or gone.name == "catalog"
    assert {one.message.rpartition(" ")[2] for one in found} == ({f"`{gone.name}`"} if is_named else set())


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        (_node("front"), "", "2 virtual nodes are called `front`"),
        (_node("x", "catalog.svc", "catalog.svc"), f"{BACKENDS}.1{SERVICE_NAME}", "`catalog.svc` is a backend twice"),
        (_node("x", "none.svc"), f"{BACKENDS}.0{SERVICE_NAME}", "there is no virtual service `none.svc`"),
        (_route("x", {"port": 80}), "spec.http_route.match.port", "the virtual router `r` does not listen at 80"),
        (_route("x", {"port": 9090}), "spec.http_route", "the virtual router `r` does not speak `http` there"),
        (_route("x", {}, port=80), "spec.http_route.action.weighted_targets.0.port", "`catalog` does not listen at 80"),
        (_route("x", {}, router="other"), "virtual_router_name", "there is no virtual router `other`"),
        (_gateway_route("x", 9090), "spec.http_route.match.port", "the virtual gateway `g` does not listen at 9090"),
        (replace(_node("x"), mesh_name="other"), "mesh_name", "there is no mesh `other`"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told_with_its_place(more: Value, path: str, message: str) -> None:
    ((at, said),) = _said(*SHOP, more)
    assert at == path
    assert message in said


def test_quotas_are_counted_of_their_parents() -> None:
    exact = Quotas(2, 1, 1, 1, 1, 1, 1)
    assert _said(*SHOP, quotas=exact) == []
    for name, least in ((one, getattr(exact, one) - 1) for one in Quotas.__slots__):
        ((_, said),) = _said(*SHOP, quotas=replace(exact, **{name: least}))
        assert said == f"it has {least + 1} {name.replace('_', ' ')}, and {least} are given"


@given(meshes())
def test_names_of_random_meshes_lead_somewhere(resources: tuple[Value, ...]) -> None:
    assert not [one for one in misfits(resources) if one.message.startswith("there is no")]
