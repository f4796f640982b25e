"""How a destination is reached, by what the policy says of it: never with less than it asks for (ADR 0212)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Protocol, Service, ServicePort
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.runtime.engine.transport import Modes


@dataclass(frozen=True, slots=True)
class Plain:
    """Without TLS: what is outside and asked for none, or what has `disabled` it."""


@dataclass(frozen=True, slots=True)
class Mutual:
    """With TLS and both identities; the server must show one of these."""

    expected: frozenset[SpiffeId]


@dataclass(frozen=True, slots=True)
class Outside:
    """With TLS, and a server that has a certificate of the public kind for the host of the request.

    It is one of `hosts`, which may begin with `*.`.
    """

    hosts: tuple[str, ...]


Security = Plain | Mutual | Outside


@dataclass(frozen=True, slots=True)
class Reach:
    """How one port is reached."""

    security: Security
    is_http2: bool
    is_tcp: bool


class Reaches:
    """The reach of each port by one policy, on a day."""

    __slots__ = ("_mesh", "_modes", "day")

    def __init__(self, mesh: Mesh, day: date) -> None:
        self._mesh = mesh
        self._modes = Modes(mesh.mtls, day)
        self.day = day

    def of(self, name: NodeName, port: int) -> Reach | None:
        """None for what the policy does not know: then nothing is sent there."""
        node = self._mesh.node(name)
        if node is None:
            return None
        declared = next((one for one in node.ports if one.workload == port), None)
        is_http2 = declared is not None and declared.protocol in {Protocol.HTTP2, Protocol.GRPC}
        is_tcp = declared is not None and declared.layer is Layer.TCP
        security = self._security(node, port, declared)
        return None if security is None else Reach(security, is_http2, is_tcp)

    def _security(self, node: Node, port: int, declared: ServicePort | None) -> Security | None:
        match node:
            case Service() | Gateway():
                is_plain = self._modes.mode(node, port) is MtlsMode.DISABLED
                return Plain() if is_plain else self._mutual(node)
            case External(via=None):
                is_ours = declared is not None and declared.layer is Layer.HTTP
                is_secured = declared is not None and (declared.is_originated or declared.protocol is Protocol.HTTPS)
                return Outside(node.hosts) if is_ours and is_secured else Plain()
            case External(via=via):
                gateway = None if via is None else self._mesh.node(via)
                return self._mutual(gateway) if isinstance(gateway, Gateway) else None

    def _mutual(self, node: Service | Gateway) -> Mutual:
        """Its identity; one of our trust domain is the same in those that were ours."""
        identity = node.identity
        domains: tuple[str, ...] = (identity.trust_domain,)
        if identity.trust_domain in {self._mesh.trust_domain, *self._mesh.aliases}:
            domains = (self._mesh.trust_domain, *self._mesh.aliases)
        return Mutual(frozenset(SpiffeId(domain, identity.path) for domain in domains))
