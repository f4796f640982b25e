"""What the objects of App Mesh's controller cannot say of resources; each is a reason to write none of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.shared import Duration
from meshproof.targets.appmesh.model.virtual_node import AwsCloudMapServiceDiscovery, DnsServiceDiscovery
from meshproof.targets.appmesh.references import Key, Path, key_of, references
from meshproof.targets.appmesh.rules import RETRIED
from meshproof.targets.appmesh.values import Value

_FAMILIES = ("IPv4_ONLY", "IPv6_ONLY")


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that no object says. `path` leads to the place in the resource."""

    key: Key
    path: Path
    message: str


def gaps(resources: Sequence[Value]) -> tuple[Gap, ...]:
    """All of them, in the order of the resources."""
    found = list(_meshes(resources))
    named = Counter(map(key_of, resources))
    for one in resources:
        key = key_of(one)
        if named[key] > 1:
            found.append(Gap(key, (), f"`{key.name}` is there more than once"))
        found += (Gap(key, path, message) for path, message in _own(one))
        found += (
            Gap(key, reference.path, f"`{reference.key.name}` is no object, and an object names others alone")
            for reference in references(one)
            if reference.key not in named
        )
    return tuple(found)


def _meshes(resources: Sequence[Value]) -> Iterator[Gap]:
    meshes = [key_of(one) for one in resources if isinstance(one, Mesh)]
    for other in meshes[1:]:
        yield Gap(other, (), "a namespace is of one mesh, and there are several")


def _own(one: Value) -> Iterator[tuple[Path, str]]:
    if one.tags is not None:
        yield ("tags",), "objects have no tags of AWS"
    if not isinstance(one, Mesh) and one.mesh_owner is not None:
        yield ("mesh_owner",), "an object is of a mesh of its own account"
    if isinstance(one, Mesh) and one.spec is not None and one.spec.service_discovery is not None:
        family = one.spec.service_discovery.ip_preference
        if family not in _FAMILIES:
            yield ("spec", "service_discovery"), "an object knows `IPv4_ONLY` and `IPv6_ONLY` alone"
    if isinstance(one, Route | GatewayRoute):
        yield from _spoken(one)
    yield from _inside(one.spec, ("spec",))


def _spoken(one: Route | GatewayRoute) -> Iterator[tuple[Path, str]]:
    """Webhooks let a route be of one kind."""
    kinds = [name for name in ("grpc_route", "http2_route", "http_route", "tcp_route") if getattr(one.spec, name, None)]
    if len(kinds) > 1:
        yield ("spec",), "an object is a route of one kind"


def _inside(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case Duration(unit, number) if unit is None or number is None:
            yield path, "a duration of an object has a unit and a value"
        case AwsCloudMapServiceDiscovery(ip_preference=str(family)) | DnsServiceDiscovery(ip_preference=str(family)):
            yield (*path, "ip_preference"), f"a node that is an object prefers no addresses, and this one `{family}`"
        case tuple():
            for index, one in enumerate(value):
                yield from _inside(one, (*path, index))
        case _ if is_dataclass(value):
            for member in fields(value):
                if member.name == "http_retry_events":
                    yield from _retried(getattr(value, member.name), (*path, member.name))
                yield from _inside(getattr(value, member.name), (*path, member.name))
        case _:
            return


def _retried(events: tuple[str, ...] | None, path: Path) -> Iterator[tuple[Path, str]]:
    for index, event in enumerate(events or ()):
        if event not in RETRIED:
            yield (*path, index), f"an object knows no event `{event}` to try again at"
