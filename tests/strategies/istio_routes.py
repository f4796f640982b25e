"""A small shop of Istio's objects, for asking the interpreter where requests go."""

from __future__ import annotations

from dataclasses import replace
from textwrap import dedent
from typing import Any

from tests.strategies.istio_lifting import DAY, lift

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.semantics import route

WEB = "spiffe://cluster.local/ns/shop/sa/web"
JOB = "spiffe://cluster.local/ns/batch/sa/job"


def deployment(name: str, namespace: str = "shop", account: str = "default", **labels: str) -> str:
    """Pods with these labels."""
    given = ", ".join(f"{key}: {value}" for key, value in labels.items())
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{template: {{metadata: {{labels: {{{given}}}}}, spec: {{serviceAccountName: {account}}}}}}}\n---\n"
    )


def service(name: str, ports: str = "{name: http, port: 80, targetPort: 8080}", namespace: str = "shop") -> str:
    """A Service for the pods with `app: NAME`."""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}, namespace: {namespace}}}\n"
        f"spec: {{selector: {{app: {name}}}, ports: [{ports}]}}\n---\n"
    )


def an_object(kind: str, name: str, spec: str, namespace: str = "shop", created: str = "2026-01-01T00:00:00Z") -> str:
    """An object of Istio's networking, or of the Gateway API."""
    group = {
        "HTTPRoute": "gateway.networking.k8s.io/v1",
        "GRPCRoute": "gateway.networking.k8s.io/v1",
        "TLSRoute": "gateway.networking.k8s.io/v1",
        "KubeGateway": "gateway.networking.k8s.io/v1",
        "ReferenceGrant": "gateway.networking.k8s.io/v1beta1",
    }.get(kind, "networking.istio.io/v1")
    lines = "\n".join(f"  {line}" for line in dedent(spec).strip().splitlines())
    return (
        f"apiVersion: {group}\nkind: {kind.removeprefix('Kube')}\n"
        f"metadata: {{name: {name}, namespace: {namespace}, creationTimestamp: '{created}'}}\nspec:\n{lines}\n---\n"
    )


def virtual_service(
    spec: str, name: str = "routes", namespace: str = "shop", created: str = "2026-01-01T00:00:00Z"
) -> str:
    """A VirtualService."""
    return an_object("VirtualService", name, spec, namespace, created)


SHOP = (
    deployment("api-v1", app="api", version="v1")
    + deployment("api-v2", app="api", version="v2")
    + service("api")
    + deployment("old", app="old")
    + service("old", "{name: http, port: 80, targetPort: 9080}, {name: tcp-db, port: 5432}, {name: any, port: 9000}")
    + deployment("web", app="web", account="web", tier="front")
    + deployment("job", "batch", app="job", account="job")
)
"""`shop/api-v1` and `shop/api-v2` behind `api:80`; `shop/old` behind `old:80`; two that only call."""

SUBSETS = an_object(
    "DestinationRule",
    "api",
    "host: api\nsubsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]",
)

REQUEST = Request(
    source=Peer(WEB, "10.0.0.7"),
    destination=NodeName("shop/api-v1"),
    port=8080,
    protocol=RequestProtocol.HTTP,
    destination_ip="10.0.0.9",
    method="GET",
    host="api",
    path="/",
)


def shop(*objects: str, settings: tuple[tuple[str, str], ...] = ()) -> Mesh:
    """The shop with these objects."""
    return lift(SHOP + "".join(objects), *settings)


def outcome(mesh: Mesh, to: str = "shop/api-v1", **fields: Any) -> RouteOutcome | None:  # noqa: ANN401  fields of a request
    """What the sender's proxy does with a request; `identity` is the sender's, `headers` a mapping."""
    source = replace(REQUEST.source, identity=fields.pop("identity", WEB))
    headers = tuple(fields.pop("headers", {}).items())
    return route(mesh, replace(REQUEST, destination=NodeName(to), source=source, headers=headers, **fields), DAY)


def sent(mesh: Mesh, to: str = "shop/api-v1", **fields: Any) -> dict[str, int] | int | None:  # noqa: ANN401  fields of a request
    """Shares by destination, the status that is answered instead, or None for no branch."""
    found = outcome(mesh, to, **fields)
    if found is None:
        return None
    if found.redirect is not None:
        return found.redirect.status
    return found.answer if found.answer is not None else dict(found.destinations)
