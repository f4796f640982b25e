"""What the lift of routing gives to the mesh that is put together from all parts."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import External, ServicePort
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.mtls import MtlsPolicy
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.routing import Route


@dataclass(frozen=True, slots=True)
class Edge:
    """What the `Gateway` objects make of a gateway workload: where it listens, for which hosts, and its secrets."""

    node: NodeName
    ports: tuple[ServicePort, ...]
    hosts: tuple[str, ...]
    certificate: str | None = None
    client_ca: str | None = None


@dataclass(frozen=True, slots=True)
class RoutingPart:
    """Routes, what is outside of the mesh, and the edges; `egress` is the outbound traffic policy.

    `rules` say who may go out to what is outside; `mtls` is what holds at ports of gateways, and `nameless` those
    where certificates may hold no SPIFFE ID; `client_tls` are doubts about senders who cannot show their identity;
    `versions` are the names of nodes as versions of hosts.
    """

    routes: tuple[Route, ...] = ()
    externals: tuple[External, ...] = ()
    edges: tuple[Edge, ...] = ()
    egress: Egress | None = None
    rules: tuple[AuthzRule, ...] = ()
    mtls: tuple[MtlsPolicy, ...] = ()
    nameless: dict[NodeName, tuple[int, ...]] = field(default_factory=dict)
    client_tls: tuple[AuthzRule, ...] = ()
    versions: tuple[tuple[NodeName, tuple[str, ...]], ...] = ()
    transport: LiftedTransport | None = None
