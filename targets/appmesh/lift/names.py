"""What nodes and gateways of App Mesh are called in the IR, and what Kubernetes calls them where it runs them.

Objects of the controller keep their names of Kubernetes, which people know, and not those that the controller makes of
them (`NAME_NAMESPACE`); all others are named in their mesh.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from meshproof.compiler.ir.names import NodeName
from meshproof.targets.appmesh.lift.found import Found

_IN_CLUSTER = re.compile(r"(?P<name>[a-z][a-z0-9-]*)\.(?P<namespace>[a-z0-9][a-z0-9-]*)\.svc(?:\..+)?")


def node_names(found: Iterable[Found[Any]], mesh: str) -> Iterator[tuple[Found[Any], NodeName]]:
    """A name for each: no two have the same, though a node and a gateway may be called alike in App Mesh."""
    taken: set[str] = set()
    for one in found:
        wanted = f"{namespace_of(one, mesh)}/{own_name(one)}"
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        taken.add(name)
        yield one, NodeName(name)


def own_name(found: Found[Any]) -> str:
    """What it is called in its namespace or mesh."""
    return found.name if found.owner is None else found.owner.name


def namespace_of(found: Found[Any], mesh: str) -> str:
    """The namespace of Kubernetes, or the mesh, which stands for one."""
    return mesh if found.owner is None else found.owner.namespace


def service_name(found: Found[Any], mesh: str) -> str:
    """The Service of Kubernetes by which a node is found, or what the node is called."""
    discovery = found.value.spec.service_discovery
    hostname = "" if discovery is None or discovery.dns is None else discovery.dns.hostname
    told = _IN_CLUSTER.fullmatch(hostname.lower().rstrip("."))
    if told is not None and told["namespace"] == namespace_of(found, mesh):
        return told["name"]
    return own_name(found)
