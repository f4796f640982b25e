"""A small policy and files that might have been emitted for it, and what is decided of requests between them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from tests.strategies.policy_text import mesh_of
from tests.unit.targets.appmesh.lift.scenes import gateway, gateway_route, listener, node, route, sds, tls

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import Lifted
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request_json import request_from_json
from meshproof.compiler.semantics import NotModelled, decide
from meshproof.targets.appmesh.lift.composed.reading import read_composed
from meshproof.targets.appmesh.naming import REFUSED

DAY = date(2026, 11, 25)
DOMAIN = "spiffe://td"
WEB, PAY, OLD, EDGE, GATE, STRANGER = (
    f"{DOMAIN}/ns/app/sa/{name}" for name in ("web", "pay", "old", "edge", "meshproof-gate", "stranger")
)
FOREIGN = "spiffe://other.example/ns/app/sa/web"
SETTINGS = (("app-mesh.network", "none"),)
"""The network is not what these files are about."""
CALLERS = (None, WEB, PAY, OLD, EDGE, GATE, STRANGER, FOREIGN)
KNOWN = mesh_of("""
service web { port http 8080 }
service pay { port http 9000 }
service old { }
gateway edge { hosts "shop.example"  port http 80 }
""")
KEEP: dict[str, Any] = {"hostname": {"defaultTargetHostname": "DISABLED"}, "prefix": {"defaultPrefix": "DISABLED"}}
AS_IT_IS: dict[str, Any] = {"hostname": {"defaultTargetHostname": "DISABLED"}}


def names(*every: str, trust: str = DOMAIN) -> dict[str, Any]:
    """Validation of clients by their names, or by their authority alone."""
    found: dict[str, Any] = {"trust": sds(trust)}
    return {**found, "subjectAlternativeNames": {"match": {"exact": list(every)}}} if every else found


def takes(port: int, *callers: str, own: str = PAY, mode: str = "STRICT", protocol: str = "http") -> dict[str, Any]:
    """A listener for those callers."""
    limit = {} if protocol == "tcp" else {"timeout": {protocol: NO_LIMIT}}
    return listener(port, protocol, tls=tls(mode, own, names(*callers)), **limit)


def web(*callers: str) -> Any:  # noqa: ANN401  JSON
    """The node of `web`."""
    return node("web_app", takes(8080, *(callers or ("nobody.invalid",)), own=WEB), shows=WEB)


def pay(*listeners: dict[str, Any], shows: str | None = PAY) -> Any:  # noqa: ANN401  JSON
    """The node of `pay`."""
    return node("pay_app", *listeners, shows=shows)


def edge() -> Any:  # noqa: ANN401  JSON
    """The gateway of the policy, as it takes everybody."""
    return _acting(gateway("edge_app", listener(80)), EDGE, (WEB, PAY))


def gate(*listeners: dict[str, Any], shows: str = GATE, behind: tuple[str, ...] = (PAY,)) -> Any:  # noqa: ANN401  JSON
    """A gate inside of the mesh, and whose certificates it takes."""
    # Listeners of gateways have no limits of time.
    own = ({key: value for key, value in one.items() if key != "timeout"} for one in listeners)
    return _acting(gateway("meshproof-gate", *own), shows, behind)


def _acting(made: Any, shows: str, behind: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  JSON
    made["spec"]["backendDefaults"] = {
        "clientPolicy": {"tls": {"certificate": sds(shows), "validation": names(*behind)}}
    }
    return made


def door_route(
    name: str,
    match: dict[str, Any],
    to: str = "pay.direct",
    *,
    port: int = 20000,
    priority: int | None = None,
    of: str = "meshproof-gate",
    rewrite: dict[str, Any] | None = None,
) -> Any:  # noqa: ANN401  JSON
    """A route of the gate, which changes nothing about requests but the host; one of another leaves that, too."""
    kept = KEEP if "prefix" in match else AS_IT_IS
    if of == "meshproof-gate" or to == REFUSED:
        kept = {**kept, "hostname": {"defaultTargetHostname": "ENABLED"}}
    return gateway_route(
        name, {"port": port, **match}, to, of=of, priority=priority, rewrite=kept if rewrite is None else rewrite
    )


NO_RETRY: dict[str, Any] = {
    "maxRetries": 0,
    "perRetryTimeout": {"unit": "ms", "value": 0},
    "tcpRetryEvents": ["connection-error"],
}
NO_LIMIT: dict[str, Any] = {"perRequest": {"unit": "ms", "value": 0}}


def way(name: str, of: str, match: dict[str, Any], priority: int | None = None, **more: Any) -> Any:  # noqa: ANN401  JSON
    """A route of a router to nodes by weight, without retries and limit, unless `retry` and `limit` are given."""
    said = {"retryPolicy": more.pop("retry", NO_RETRY), "timeout": more.pop("limit", NO_LIMIT)}
    made = route(name, of, match, priority, **more)
    made["spec"]["httpRoute"] |= said
    return made


def read(*resources: Any, known: Mesh = KNOWN) -> Lifted:  # noqa: ANN401  JSON
    """What the resources mean for the policy."""
    files = tuple(Artifact(f"{at}.json", json.dumps(one).encode()) for at, one in enumerate(resources))
    return read_composed(files, SETTINGS, known)


def understood(*resources: Any, known: Mesh = KNOWN) -> Mesh:  # noqa: ANN401  JSON
    """The mesh of resources about which nothing is unclear."""
    lifted = read(*resources, known=known)
    assert lifted.diagnostics == (), [one.message for one in lifted.diagnostics]
    assert lifted.mesh is not None
    return lifted.mesh


def told(*resources: Any, known: Mesh = KNOWN) -> list[str]:  # noqa: ANN401  JSON
    """What is not understood."""
    return [one.message for one in read(*resources, known=known).diagnostics]


def may(
    mesh: Mesh,
    caller: str | None,
    path: str = "/",
    *,
    method: str = "GET",
    to: str = "pay",
    port: int = 9000,
    headers: Iterable[tuple[str, str]] = (),
    host: str = "pay.local",
) -> bool | None:
    """Whether the request is let through; None where nobody can tell."""
    request = {
        "source": {"identity": caller},
        "destination": {"service": to},
        "port": port,
        "protocol": "http",
        "method": method,
        "path": path,
        "host": host,
        "headers": [[name, value] for name, value in headers],
    }
    try:
        return decide(mesh, request_from_json(json.dumps(request), mesh), DAY).is_allowed
    except NotModelled:
        return None


def who(mesh: Mesh, path: str = "/", **more: Any) -> list[str | None]:  # noqa: ANN401  JSON
    """Of `CALLERS`, those that are let through."""
    return [caller for caller in CALLERS if may(mesh, caller, path, **more)]
