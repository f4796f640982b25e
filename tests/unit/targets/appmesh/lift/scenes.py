"""Small meshes of App Mesh, as JSON of its API, and what they mean."""

from __future__ import annotations

import json
from typing import Any

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Lifted
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.appmesh.lift.reading import read_appmesh

DOMAIN = "spiffe://shop.example"
WEB, PAY, GATE = (f"{DOMAIN}/ns/shop/sa/{name}" for name in ("web", "pay", "gate"))


def sds(name: str) -> dict[str, Any]:
    """A certificate or a trust bundle that SDS hands out."""
    return {"sds": {"secretName": name}}


def validated(*names: str) -> dict[str, Any]:
    """Validation of clients by the names of their certificates; of none but the authority without names."""
    found: dict[str, Any] = {"trust": sds(DOMAIN)}
    return {**found, "subjectAlternativeNames": {"match": {"exact": list(names)}}} if names else found


def listener(port: int, protocol: str = "http", **more: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    """A listener; `tls` and the rest by name."""
    return {"portMapping": {"port": port, "protocol": protocol}, **more}


def tls(mode: str, own: str = PAY, validation: dict[str, Any] | None = None) -> dict[str, Any]:
    """How a listener takes TLS."""
    found: dict[str, Any] = {"mode": mode, "certificate": sds(own)}
    return found if validation is None else {**found, "validation": validation}


def node(name: str, *listeners: dict[str, Any], shows: str | None = None, backends: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  JSON
    """A virtual node; `shows` is the identity in its client's certificate."""
    spec: dict[str, Any] = {"listeners": list(listeners), "serviceDiscovery": {"dns": {"hostname": host(name)}}}
    if shows is not None:
        client = {"certificate": sds(shows), "validation": {"trust": sds(DOMAIN)}}
        spec["backendDefaults"] = {"clientPolicy": {"tls": client}}
    if backends:
        spec["backends"] = [{"virtualService": {"virtualServiceName": one}} for one in backends]
    return {"meshName": "shop", "virtualNodeName": name, "spec": spec}


def host(node: str) -> str:
    """Where the node of a workload, of one of its versions, or the address of a gate is found."""
    name, *more = node.removesuffix("-doors").split("_")
    space, version = (*more, "app", "")[:2] if more else ("app", "")
    return f"{name}-{version}.{space}.svc.cluster.local" if len(more) > 1 else f"{name}.{space}.svc.cluster.local"


def service(name: str, **provider: str) -> Any:  # noqa: ANN401  JSON
    """A virtual service, provided by a `node` or a `router`, or by nobody."""
    kinds = {f"virtual{kind.capitalize()}": value for kind, value in provider.items()}
    made = {kind: {f"{kind}Name": value} for kind, value in kinds.items()}
    return {"meshName": "shop", "virtualServiceName": name, "spec": {"provider": made} if made else {}}


def router(name: str, port: int = 80) -> Any:  # noqa: ANN401  JSON
    """A virtual router."""
    spec = {"listeners": [{"portMapping": {"port": port, "protocol": "http"}}]}
    return {"meshName": "shop", "virtualRouterName": name, "spec": spec}


def route(name: str, of: str, match: dict[str, Any], priority: int | None = None, **weights: int) -> Any:  # noqa: ANN401  JSON
    """A route of a router to nodes by weight."""
    targets = [{"virtualNode": node, "weight": weight} for node, weight in weights.items()]
    spec: dict[str, Any] = {"httpRoute": {"match": match, "action": {"weightedTargets": targets}}}
    if priority is not None:
        spec["priority"] = priority
    return {"meshName": "shop", "virtualRouterName": of, "routeName": name, "spec": spec}


def gateway(name: str, *listeners: dict[str, Any]) -> Any:  # noqa: ANN401  JSON
    """A virtual gateway."""
    return {"meshName": "shop", "virtualGatewayName": name, "spec": {"listeners": list(listeners)}}


def gateway_route(
    name: str,
    match: dict[str, Any],
    to: str,
    *,
    of: str = "gate",
    priority: int | None = None,
    rewrite: dict[str, Any] | None = None,
    kind: str = "httpRoute",
) -> Any:  # noqa: ANN401  JSON
    """A route of a gateway to a virtual service."""
    action: dict[str, Any] = {"target": {"virtualService": {"virtualServiceName": to}}}
    if rewrite is not None:
        action["rewrite"] = rewrite
    spec: dict[str, Any] = {kind: {"match": match, "action": action}}
    if priority is not None:
        spec["priority"] = priority
    return {"meshName": "shop", "virtualGatewayName": of, "gatewayRouteName": name, "spec": spec}


def read(*resources: Any, settings: tuple[tuple[str, str], ...] = ()) -> Lifted:  # noqa: ANN401  JSON
    """What the resources mean, each in a file of its own."""
    files = tuple(Artifact(f"{at}.json", json.dumps(one).encode()) for at, one in enumerate(resources))
    return read_appmesh(files, settings)


def read_text(text: str, path: str = "t.yaml", settings: tuple[tuple[str, str], ...] = ()) -> Lifted:
    """What one file means."""
    return read_appmesh((Artifact(path, text.encode()),), settings)


def mesh_of(*resources: Any) -> Mesh:  # noqa: ANN401  JSON
    """The mesh of resources that App Mesh takes."""
    lifted = read(*resources)
    assert lifted.mesh is not None, [one.message for one in lifted.diagnostics]
    return lifted.mesh


def told(lifted: Lifted) -> list[str]:
    """What was said, code and message."""
    return [f"{one.code} {one.message}" for one in lifted.diagnostics]
