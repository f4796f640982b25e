"""Random resources that name each other: what a mesh is made of."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from hypothesis import strategies as st
from tests.unit.targets.appmesh.strategies import values

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.model.virtual_service import VirtualService
from meshproof.targets.appmesh.read import Reader
from meshproof.targets.appmesh.spelling import API
from meshproof.targets.appmesh.values import Value
from meshproof.targets.appmesh.write import to_json
from meshproof.targets.common.json_tree import parse

SHAPES: tuple[type[Any], ...] = (
    *(Mesh, VirtualNode, VirtualNode, VirtualRouter, VirtualService, VirtualService, VirtualGateway),
    *(Route, Route, GatewayRoute),
)
NAMES = {
    "VirtualNode": ("node", "Node of_Us"),
    "VirtualRouter": ("router",),
    "VirtualService": ("service.shop.svc", "a/b.c"),
    "VirtualGateway": ("gate",),
    "Route": ("first", "second~"),
    "GatewayRoute": ("in",),
}


_LISTENERS = [{"portMapping": {"port": 8080, "protocol": "http"}}]
_TARGET = {"virtualService": {"virtualServiceName": "?"}}
_ROUTE = {"match": {"prefix": "/"}, "action": {"weightedTargets": [{"virtualNode": "?", "weight": 1}]}}
PLAIN: dict[str, Any] = {
    "Mesh": {},
    "VirtualNode": {"listeners": _LISTENERS, "backends": [_TARGET, {"virtualService": {"virtualServiceName": "??"}}]},
    "VirtualRouter": {"listeners": _LISTENERS},
    "VirtualService": {"provider": {"virtualRouter": {"virtualRouterName": "?"}}},
    "VirtualGateway": {"listeners": _LISTENERS},
    "Route": {"httpRoute": _ROUTE},
    "GatewayRoute": {"httpRoute": {"match": {"prefix": "/"}, "action": {"target": _TARGET}}},
}


@st.composite
def meshes(draw: st.DrawFn) -> tuple[Value, ...]:
    """A mesh with two of most kinds, plain ones, and one drawn in their place; each reference is to one of them."""
    drawn = draw(st.integers(0, len(SHAPES) - 1))
    value = _named(to_json(draw(values(SHAPES[drawn])), API), drawn)
    return tuple(value if index == drawn else plain(index) for index in range(len(SHAPES)))


@cache
def plain(index: int) -> Value:
    """The plain one of that number in `SHAPES`."""
    return _named({"spec": copy.deepcopy(PLAIN[SHAPES[index].__name__])}, index)


def _named(tree: Any, index: int) -> Value:  # noqa: ANN401
    shape = SHAPES[index]
    kind, number = shape.__name__, SHAPES[:index].count(shape)
    tree["meshName"] = "shop"
    if kind != "Mesh":
        parents = {"Route": "VirtualRouter", "GatewayRoute": "VirtualGateway"}
        for one, name in (
            (kind, NAMES[kind][number]),
            *((one, NAMES[one][0]) for one in parents.get(kind, "").split()),
        ):
            tree[f"{one[0].lower()}{one[1:]}Name"] = name
        _refer(tree["spec"])
    found: Value = read_back(shape, tree)
    return found


def read_back(shape: type[Any], tree: object) -> Any:  # noqa: ANN401  whatever the shape is
    """A value from the JSON of the API."""
    reader = Reader(API)
    found = reader.read(shape, parse(json.dumps(tree), "a.json")[0])
    assert found is not None, reader.faults
    return found


def _refer(tree: Any) -> None:  # noqa: ANN401
    """Let references be to what is there."""
    for inner in _trees(tree):
        for kind in ("VirtualNode", "VirtualRouter", "VirtualService"):
            key = f"{kind[0].lower()}{kind[1:]}"
            for name in (key, f"{key}Name"):
                if isinstance(inner.get(name), str):
                    inner[name] = NAMES[kind][len(inner[name]) % len(NAMES[kind])]


def _trees(tree: Any) -> Iterator[Any]:  # noqa: ANN401
    if isinstance(tree, dict):
        yield tree
    for inner in tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ():
        yield from _trees(inner)
