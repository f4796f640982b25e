"""Which ports the files hand over to a sidecar behind the node: by its settings, and by listeners that pass all on."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.targets.appmesh.lift.composed.admission import Admission
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.naming import node_name
from meshproof.targets.appmesh.residue.wiring import BUNDLE, LOCAL, is_wiring, wiring_path

Ports = frozenset[tuple[NodeName, int]]


def wired(files: tuple[Artifact, ...], known: Mesh, doubts: Doubts) -> Ports:
    """The ports at which a sidecar stands that is the one of that service. Whatever is not as it has to be is a doubt.

    Of the policy the services are looked at, and where the keys of the issuers are that they accept.
    """
    settings = {one.path: one for one in files if is_wiring(one.path)}
    found: set[tuple[NodeName, int]] = set()
    for service in known.services:
        own = settings.pop(wiring_path(node_name(service.platform_name, service.namespace)), None)
        if own is not None:
            found.update((service.name, port) for port in _ports(own, service, known, doubts))
    for path in settings:
        doubts.add(path, "is beside no workload of the policy", known.origin)
    return frozenset(found)


def passed(every: dict[NodeName, tuple[Admission, ...]], ports: Ports) -> Ports:
    """Those of the ports whose listeners send on what comes as it is: TLS is ended behind them."""
    return frozenset(
        (name, one.port)
        for name, listeners in every.items()
        for one in listeners
        if (name, one.port) in ports and one.spoken == "tcp" and one.mode is MtlsMode.DISABLED
    )


def _ports(file: Artifact, service: Service, known: Mesh, doubts: Doubts) -> Iterator[int]:
    try:
        settings = tomllib.loads(file.content.decode())
    except ValueError:
        doubts.add(file.path, "is no TOML", service.origin)
        return
    if settings.get("service") != service.name:
        doubts.add(file.path, f"is beside `{service.name}` and says it is another's", service.origin)
        return
    if settings.get("policy") != {"bundle": BUNDLE}:
        doubts.add(file.path, f"does not keep the bundle `{BUNDLE}`", service.origin)
        return
    if _keys(settings) != _expected(service, known):
        doubts.add(file.path, "has keys of issuers from elsewhere than the policy says", service.origin)
    for one in settings.get("inbound", ()):
        if _leads_behind(one):
            yield one["port"]
        else:
            doubts.add(file.path, "does not stand between the node and the application", service.origin)


def _leads_behind(one: dict[str, Any]) -> bool:
    """Whether the sidecar listens where the node's proxy sends to, and nobody else does; and sends on elsewhere."""
    here, there = f"{LOCAL}:{one.get('port')}", str(one.get("application"))
    return one.get("listen") == here and there.startswith(f"{LOCAL}:") and there != here


def _keys(settings: dict[str, Any]) -> dict[str, str | None]:
    return {str(one.get("issuer")): one.get("jwks_url") for one in settings.get("tokens", ())}


def _expected(service: Service, known: Mesh) -> dict[str, str | None]:
    return {str(one.name): one.jwks for one in known.issuers if one.name in service.accepts}
