"""What App Mesh asks of the resources of a mesh together: names, references, ports and quotas.

Source: its user guide (references, troubleshooting), its quotas as Service Quotas tells them, and the validating
webhooks of its controller (`webhooks/appmesh`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter
from meshproof.targets.appmesh.references import Key, Path, key_of, references, targets
from meshproof.targets.appmesh.values import Value

_ROUTES = ("grpc_route", "http2_route", "http_route", "tcp_route")
_WORDS = {
    "Mesh": "mesh",
    "VirtualNode": "virtual node",
    "VirtualService": "virtual service",
    "VirtualRouter": "virtual router",
    "Route": "route",
    "VirtualGateway": "virtual gateway",
    "GatewayRoute": "gateway route",
}


@dataclass(frozen=True, slots=True)
class Quotas:
    """How many there may be; an account may have been given other numbers. Those of routes are of one parent."""

    virtual_nodes: int = 200
    virtual_services: int = 200
    virtual_routers: int = 200
    virtual_gateways: int = 3
    routes: int = 50
    gateway_routes: int = 10
    backends: int = 50


DEFAULT = Quotas()
"""What an account has that asked for nothing."""


class Concern(Enum):
    """What a misfit is about."""

    NAME = "name"
    REFERENCE = "reference"
    PORT = "port"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Misfit:
    """A resource that does not fit to the others. `path` leads to the place in it; `missed` is what is not there."""

    key: Key
    path: Path
    message: str
    concern: Concern
    missed: Key | None = None


def misfits(resources: Sequence[Value], quotas: Quotas = DEFAULT) -> tuple[Misfit, ...]:
    """Everything that does not fit, in the order of the resources; then what is too many."""
    named = {key_of(one): one for one in resources}
    found = list(_doubled(resources))
    for one in resources:
        found += _dangling(one, named)
        found += _ports(one, named)
        found += _doubled_backends(one)
    return (*found, *_too_many(resources, quotas))


def _doubled(resources: Sequence[Value]) -> Iterator[Misfit]:
    for key, count in Counter(map(key_of, resources)).items():
        if count > 1:
            yield Misfit(key, (), f"{count} {_WORDS[key.kind]}s are called `{key.name}`", Concern.NAME)


def _dangling(one: Value, named: Mapping[Key, Value]) -> Iterator[Misfit]:
    for reference in references(one):
        if reference.key not in named:
            word = _WORDS[reference.key.kind]
            message = f"there is no {word} `{reference.key.name}`"
            yield Misfit(key_of(one), reference.path, message, Concern.REFERENCE, reference.key)


def _ports(one: Value, named: Mapping[Key, Value]) -> Iterator[Misfit]:
    match one:
        case Route():
            router = named.get(Key("VirtualRouter", (one.mesh_name, one.virtual_router_name)))
            yield from _matched_port(one, router)
            for target, path in targets(one):
                node = named.get(Key("VirtualNode", (one.mesh_name, target.virtual_node)))
                if isinstance(node, VirtualNode) and target.port is not None and target.port not in _listening(node):
                    message = f"the virtual node `{target.virtual_node}` does not listen at {target.port}"
                    yield Misfit(key_of(one), (*path, "port"), message, Concern.PORT)
        case GatewayRoute():
            yield from _matched_port(one, named.get(Key("VirtualGateway", (one.mesh_name, one.virtual_gateway_name))))
        case _:
            return


def _matched_port(one: Route | GatewayRoute, parent: Value | None) -> Iterator[Misfit]:
    """The port that a match names, and the protocol of the listener at which the route stands."""
    if not isinstance(parent, VirtualRouter | VirtualGateway):
        return
    listening = _listening(parent)
    for kind in _ROUTES:
        part = getattr(one.spec, kind, None)
        if part is None:
            continue
        port = None if part.match is None else part.match.port
        at = ("spec", kind)
        if port is not None and port not in listening:
            message = f"the {_WORDS[type(parent).__name__]} `{key_of(parent).name}` does not listen at {port}"
            yield Misfit(key_of(one), (*at, "match", "port"), message, Concern.PORT)
            continue
        spoken = {listening[port]} if port is not None else set(listening.values())
        protocol = kind.removesuffix("_route")
        if spoken and protocol not in spoken:
            message = f"the {_WORDS[type(parent).__name__]} `{key_of(parent).name}` does not speak `{protocol}` there"
            yield Misfit(key_of(one), at, message, Concern.PORT)


def _listening(one: VirtualNode | VirtualRouter | VirtualGateway) -> dict[int, str]:
    """The ports of its listeners, with what is spoken there."""
    listeners: Iterable[Any] = one.spec.listeners or ()
    return {listener.port_mapping.port: listener.port_mapping.protocol for listener in listeners}


def _doubled_backends(one: Value) -> Iterator[Misfit]:
    if not isinstance(one, VirtualNode):
        return
    seen: set[Key] = set()
    for reference in references(one):
        if reference.path[:2] != ("spec", "backends"):
            continue
        if reference.key in seen:
            message = f"the virtual service `{reference.key.name}` is a backend twice"
            yield Misfit(key_of(one), reference.path, message, Concern.NAME)
        seen.add(reference.key)


def _too_many(resources: Sequence[Value], quotas: Quotas) -> Iterator[Misfit]:
    counted = Counter((key_of(one).kind, key_of(one).names[:-1]) for one in resources)
    most = {
        "VirtualNode": quotas.virtual_nodes,
        "VirtualService": quotas.virtual_services,
        "VirtualRouter": quotas.virtual_routers,
        "VirtualGateway": quotas.virtual_gateways,
        "Route": quotas.routes,
        "GatewayRoute": quotas.gateway_routes,
    }
    parents = {"Route": "VirtualRouter", "GatewayRoute": "VirtualGateway"}
    for (kind, parent), count in counted.items():
        if parent and count > most[kind]:
            message = f"it has {count} {_WORDS[kind]}s, and {most[kind]} are given"
            yield Misfit(Key(parents.get(kind, "Mesh"), parent), (), message, Concern.QUOTA)
    for one in resources:
        count = len(one.spec.backends or ()) if isinstance(one, VirtualNode) else 0
        if count > quotas.backends:
            message = f"it has {count} backends, and {quotas.backends} are given"
            yield Misfit(key_of(one), ("spec", "backends"), message, Concern.QUOTA)
