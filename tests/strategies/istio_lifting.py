"""Lifts texts and asks the interpreter about the result."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from textwrap import dedent
from typing import Any

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.decision import Decision
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import AuthorizerName, NodeName
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request, RequestProtocol, Token
from meshproof.compiler.semantics import decide
from meshproof.targets.istio.lift.reading import IstioReading, read_istio

DAY = date(2026, 11, 23)
WEB = "spiffe://cluster.local/ns/shop/sa/web"
OTHER = "spiffe://cluster.local/ns/other/sa/other"

WORKLOAD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec:
  template:
    metadata: {labels: {app: api, version: v1}}
    spec:
      serviceAccountName: api
      containers: [{name: main, ports: [{name: web, containerPort: 8080}]}]
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports:
  - {name: http, port: 80, targetPort: web}
  - {name: tcp-db, port: 5432}
  - {name: any, port: 9000}
---
"""
"""`shop/api`: HTTP on 8080, TCP on 5432, and 9000, where nobody says what is spoken."""

NODE = NodeName("shop/api")


def read(text: str, *settings: tuple[str, str], known: Mesh | None = None) -> IstioReading:
    """The reading of one file."""
    return read_istio((Artifact("mesh.yaml", dedent(text).encode()),), settings, known)


def lift(text: str, *settings: tuple[str, str]) -> Mesh:
    """The mesh of one file that can be read."""
    found = read(text, *settings)
    assert found.mesh is not None, found.diagnostics
    return found.mesh


def policy(spec: str, name: str = "p", namespace: str = "shop", annotations: str = "{}") -> str:
    """An AuthorizationPolicy; the spec is indented by two blanks."""
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}, namespace: {namespace}, annotations: {annotations}}}\nspec:\n"
        + "\n".join(f"  {line}" for line in dedent(spec).strip().splitlines())
        + "\n---\n"
    )


def api(*policies: str, settings: tuple[tuple[str, str], ...] = ()) -> Mesh:
    """The mesh of `shop/api` with these objects."""
    return lift(WORKLOAD + "".join(policies), *settings)


def config(mesh: str) -> str:
    """The ConfigMap `istio` with a mesh configuration."""
    lines = "\n".join(f"    {line}" for line in dedent(mesh).strip().splitlines())
    return (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: istio, namespace: istio-system}\n"
        f"data:\n  mesh: |\n{lines}\n---\n"
    )


HTTP = Request(
    source=Peer(WEB, "10.0.0.7"),
    destination=NODE,
    port=8080,
    protocol=RequestProtocol.HTTP,
    destination_ip="10.0.0.9",
    method="GET",
    host="api",
    path="/",
)
TCP = Request(Peer(WEB, "10.0.0.7"), NODE, 5432, RequestProtocol.TCP, destination_ip="10.0.0.9")


def token(**claims: ClaimValue) -> Token:
    """A valid token."""
    return Token(is_valid=True, claims=ClaimObject(tuple(claims.items())))


def judged(mesh: Mesh, request: Request = HTTP, **fields: Any) -> Decision:  # noqa: ANN401  fields of a request have many types
    """The decision about the request with other fields; `identity` and `ip` are the caller's."""
    source = request.source
    if "identity" in fields:
        source = replace(source, identity=fields.pop("identity"))
    if "ip" in fields:
        source = replace(source, ip=fields.pop("ip"))
    answers = fields.pop("answers", {})
    found = tuple((AuthorizerName(name), is_yes) for name, is_yes in answers.items())
    return decide(mesh, replace(request, source=source, answers=found, **fields), DAY)


def allows(mesh: Mesh, request: Request = HTTP, **fields: Any) -> bool:  # noqa: ANN401  fields of a request have many types
    """Whether the request is allowed."""
    return judged(mesh, request, **fields).is_allowed
