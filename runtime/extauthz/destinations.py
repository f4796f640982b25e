"""What an authorizer is asked about, and whether it can be told enough to decide there as the policy says."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.entities import External, Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import (
    Attribute,
    Header,
    Host,
    Method,
    Path,
    Port,
    Query,
    SourceIdentity,
    attributes_of,
)


class DestinationError(Exception):
    """The policy cannot be kept at a destination by being asked. The message is one lower-case sentence."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A port of a service, told by the `path_prefix` that its Envoy puts before the path of each request.

    `headers` are those that this Envoy forwards, in lower case. `takes_plaintext`: a caller without a certificate is
    asked about as such; else a request that does not say who calls is refused.
    """

    path_prefix: str
    service: str
    port: int
    headers: tuple[str, ...] = ()
    takes_plaintext: bool = False


def headers_read(mesh: Mesh, destination: Destination) -> frozenset[str]:
    """The headers that rules for the destination read.

    Raises `DestinationError` where the policy reads what an Envoy does not tell an authorizer, or not this one: an
    attribute that seems absent would let a deny pass.
    """
    name = NodeName(destination.service)
    node = mesh.node(name)
    if node is None or isinstance(node, External):
        raise DestinationError(f"the policy declares no service or gateway `{name}`")
    if not any(port.workload == destination.port and port.layer is Layer.HTTP for port in node.ports):
        raise DestinationError(f"`{name}` has no port `{destination.port}` of its workload that speaks HTTP")
    if node.accepts:
        raise DestinationError(f"`{name}` accepts tokens, which nobody verifies here")
    found: set[str] = set()
    for rule in mesh.rules:
        if any(one.node == name and (one.ports is None or destination.port in one.ports) for one in rule.destinations):
            for attribute in attributes_of(rule.content):
                if (header := _header(attribute, str(rule.id))) is not None:
                    found.add(header)
    for header in sorted(found - set(destination.headers)):
        raise DestinationError(f"rules for `{name}` read the header `{header}`, which is not among its `headers`")
    return frozenset(found)


def _header(attribute: Attribute, rule: str) -> str | None:
    match attribute:
        case Header(name):
            return name
        case SourceIdentity() | Method() | Path() | Host() | Port() | Query():
            return None
        case _:
            said = type(attribute).__name__
            raise DestinationError(f"rule `{rule}` reads `{said}`, which an Envoy does not tell an authorizer")
