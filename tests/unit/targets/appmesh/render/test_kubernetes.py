from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from
from tests.unit.targets.appmesh.closed import NAMES, SHAPES, meshes, plain, read_back

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.appmesh.lift.documents import read_files
from meshproof.targets.appmesh.model.mesh import Mesh, MeshServiceDiscovery, MeshSpec
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.shared import Duration, TagRef
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.render.kubernetes import GATEWAY_LABEL, Placement, objects
from meshproof.targets.appmesh.values import Value

HERE = Placement("shop", {"node": {"app": "node"}, "gate": {"app": "gate"}})
APART = replace(HERE, elsewhere={"node": "mall", "gate": "edge"})
PLAIN = tuple(plain(index) for index in range(len(SHAPES)))


def _sayable(value: Any) -> Any:  # noqa: ANN401  any part of a resource
    """The same without what objects cannot say."""
    match value:
        case Duration(unit, number):
            return Duration(unit or "ms", number or 0)
        case tuple():
            return tuple(map(_sayable, value))
        case MeshServiceDiscovery():
            return MeshServiceDiscovery("IPv4_ONLY")
        case _ if is_dataclass(value) and not isinstance(value, type):
            unsaid = {"tags", "mesh_owner", "ip_preference", "http_retry_events"}
            kept = {one.name: getattr(value, one.name) for one in fields(value)}
            return replace(value, **{name: None if name in unsaid else _sayable(one) for name, one in kept.items()})
        case _:
            return value


def _one_kind(one: Value) -> Value:
    """A route is of one kind at most."""
    kinds = [name for name in ("http_route", "http2_route", "grpc_route", "tcp_route") if getattr(one.spec, name, None)]
    spec: Any = one.spec
    return replace(one, spec=replace(spec, **dict.fromkeys(kinds[1:]))) if len(kinds) > 1 else one


def _read(documents: tuple[Any, ...]) -> dict[Any, Value]:
    content = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(documents)}).encode()
    return {key_of(one.value): one.value for one in read_files((Artifact("mesh.json", content),), {}).resources.every}


@given(meshes(), sampled_from((HERE, APART)))
def test_what_objects_say_is_read_back(drawn: tuple[Value, ...], place: Placement) -> None:
    resources = tuple(_one_kind(_sayable(one)) for one in drawn)
    found = objects(resources, place)

    assert found.gaps == ()
    assert _read(found.documents) == {key_of(one): _with_spec(one) for one in resources}


def _with_spec(one: Value) -> Value:
    """A mesh without a specification is one with an empty one: objects have always one."""
    return replace(one, spec=MeshSpec()) if isinstance(one, Mesh) and one.spec is None else one


@given(meshes())
def test_either_all_is_said_or_nothing_is_written(resources: tuple[Value, ...]) -> None:
    found = objects(resources, HERE)

    assert bool(found.gaps) is not bool(found.documents)
    if not found.gaps:
        assert _read(found.documents) == {key_of(one): _with_spec(one) for one in resources}


def test_objects_are_as_the_controller_wants_them() -> None:
    documents: Any = objects(PLAIN, HERE).documents
    by_kind = {one["kind"]: one for one in reversed(documents)}

    assert [one["kind"] for one in documents] == [one.__name__ for one in SHAPES if one is not Route]
    mesh, node, router = by_kind["Mesh"], by_kind["VirtualNode"], by_kind["VirtualRouter"]
    assert "namespace" not in mesh["metadata"]
    assert mesh["spec"]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}
    assert node["metadata"] == {"name": "node", "namespace": "shop"}
    assert node["spec"]["podSelector"] == {"matchLabels": {"app": "node"}}
    assert [one["name"] for one in router["spec"]["routes"]] == list(NAMES["Route"])
    (target,) = router["spec"]["routes"][0]["httpRoute"]["action"]["weightedTargets"]
    assert set(target) == {"virtualNodeRef", "weight"}
    gate, route = by_kind["VirtualGateway"], by_kind["GatewayRoute"]
    assert gate["spec"]["gatewayRouteSelector"]["matchLabels"] == route["metadata"]["labels"]
    assert set(route["metadata"]["labels"]) == {GATEWAY_LABEL}
    names = {(one["kind"], one["metadata"]["name"]) for one in documents}
    for one in _references(documents):
        assert one in names


def test_objects_stand_where_their_pods_are() -> None:
    """They select pods of their own namespace alone, and name others with theirs."""
    documents: Any = objects(PLAIN, APART).documents
    by_kind = {one["kind"]: one for one in reversed(documents)}

    mesh, node, gate = by_kind["Mesh"], by_kind["VirtualNode"], by_kind["VirtualGateway"]
    (expression,) = mesh["spec"]["namespaceSelector"]["matchExpressions"]
    assert (expression["operator"], expression["values"]) == ("In", ["edge", "mall", "shop"])
    assert (node["metadata"]["namespace"], gate["metadata"]["namespace"]) == ("mall", "edge")
    assert gate["spec"]["namespaceSelector"] == {"matchLabels": {"kubernetes.io/metadata.name": "edge"}}
    route, router = by_kind["GatewayRoute"], by_kind["VirtualRouter"]
    assert route["metadata"]["namespace"] == "edge"
    assert router["metadata"]["namespace"] == "shop"
    placed = {(one["kind"], one["metadata"].get("namespace")) for one in documents}
    assert placed >= {("VirtualNode", "shop"), ("VirtualService", "shop")}
    service = route["spec"]["httpRoute"]["action"]["target"]["virtualService"]["virtualServiceRef"]
    assert service["namespace"] == "shop"


def _references(tree: Any) -> set[tuple[str, str]]:  # noqa: ANN401
    found: set[tuple[str, str]] = set()
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key.endswith("Ref"):
                found.add((f"{key[0].upper()}{key[1:-3]}", value["name"]))
            found |= _references(value)
    elif isinstance(tree, list | tuple):
        for one in tree:
            found |= _references(one)
    return found


def _changed(index: int, **new: object) -> tuple[Value, ...]:
    one: Any = PLAIN[index]
    return (*PLAIN[:index], replace(one, **new), *PLAIN[index + 1 :])


def _with_retries(**retries: object) -> Route:
    policy = {"maxRetries": 1, "perRetryTimeout": {"unit": "s", "value": 1}, **retries}
    action = {"weightedTargets": [{"virtualNode": "node", "weight": 1}]}
    spec = {"httpRoute": {"match": {"prefix": "/"}, "action": action, "retryPolicy": policy}}
    tree = {"meshName": "shop", "virtualRouterName": "router", "routeName": "first", "spec": spec}
    found: Route = read_back(Route, tree)
    return found


def _node(ip_preference: str) -> VirtualNode:
    discovery = {"dns": {"hostname": "x", "ipPreference": ip_preference}}
    found: VirtualNode = read_back(
        VirtualNode, {"meshName": "shop", "virtualNodeName": "node", "spec": {"serviceDiscovery": discovery}}
    )
    return found


GAPS: dict[str, tuple[Callable[[], tuple[Value, ...]], str, str]] = {
    "tags": (lambda: _changed(1, tags=(TagRef("a", "b"),)), "tags", "objects have no tags of AWS"),
    "owner": (lambda: _changed(3, mesh_owner="123456789012"), "mesh_owner", "of a mesh of its own account"),
    "family of a mesh": (
        lambda: _changed(0, spec=MeshSpec(service_discovery=MeshServiceDiscovery("IPv6_PREFERRED"))),
        "spec.service_discovery",
        "`IPv4_ONLY` and `IPv6_ONLY` alone",
    ),
    "family of a node": (
        lambda: (PLAIN[0], _node("IPv4_ONLY"), *PLAIN[2:]),
        "spec.service_discovery.dns.ip_preference",
        "prefers no addresses, and this one `IPv4_ONLY`",
    ),
    "a duration without a unit": (
        lambda: (*PLAIN[:7], _with_retries(perRetryTimeout={"value": 1}), *PLAIN[8:]),
        "spec.http_route.retry_policy.per_retry_timeout",
        "has a unit and a value",
    ),
    "an event": (
        lambda: (*PLAIN[:7], _with_retries(httpRetryEvents=["server-error", "stream-err"]), *PLAIN[8:]),
        "spec.http_route.retry_policy.http_retry_events.1",
        "knows no event `stream-err`",
    ),
    "twice": (lambda: (*PLAIN[:1], PLAIN[1], PLAIN[1], *PLAIN[3:]), "", "`node` is there more than once"),
    "a second mesh": (lambda: (*PLAIN, Mesh("other")), "", "a namespace is of one mesh"),
    "no mesh": (lambda: PLAIN[1:], "mesh_name", "`shop` is no object"),
}


@pytest.mark.parametrize(("resources", "path", "message"), GAPS.values(), ids=GAPS)
def test_what_objects_cannot_say_is_told_and_nothing_is_written(
    resources: Callable[[], tuple[Value, ...]], path: str, message: str
) -> None:
    found = objects(resources(), HERE)

    assert found.documents == ()
    said = [(".".join(map(str, one.path)), one.message) for one in found.gaps]
    assert any(at == path and message in what for at, what in said), said
