"""What one policy says of one port of the own workload: all that its connections have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.entities import Gateway, Layer, Protocol, Service, TokenPlace
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import IssuerName
from meshproof.compiler.ir.predicate import ClientIp, Header, attributes_of
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.transport import Modes
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.verifier import Verifier, accepted_issuers

_OF_PREFLIGHTS = frozenset({b"origin", b"access-control-request-method"})
_HTTP2 = frozenset({Protocol.HTTP2, Protocol.GRPC})


@dataclass(frozen=True, slots=True)
class PortPolicy:
    """`read` are the headers that a decision may need. `verifier` is None where nobody looks for tokens.

    `stripped` are the places of tokens that the workload is not to see. `own` is who we are to callers. `audits` names
    the audited rules that are met; None where there are none.
    """

    engine: Engine
    audits: Engine | None
    digest: str
    node: Service | Gateway
    port: int
    layer: Layer
    is_http2: bool
    read: frozenset[bytes]
    reads_client_ip: bool
    verifier: Verifier | None
    stripped: tuple[TokenPlace | None, ...]
    own: str
    _mesh: Mesh

    def mode(self, day: date) -> MtlsMode:
        """How connections are taken on a day."""
        return Modes(self._mesh.mtls, day).mode(self.node, self.port)


def port_policy(
    loaded: Loaded,
    node: Service | Gateway,
    port: int,
    rings: Mapping[IssuerName, KeyRing],
    wall: Callable[[], float],
) -> PortPolicy:
    """The policy of a port that the node declares. `rings` has the keys of all issuers of the policy."""
    mesh = loaded.bundle.mesh
    declared = next(one for one in node.ports if one.workload == port)
    attributes = frozenset(
        attribute
        for rule in mesh.rules
        if any(one.node == node.name and (one.ports is None or port in one.ports) for one in rule.destinations)
        for attribute in attributes_of(rule.content)
    )
    issuers = accepted_issuers(mesh, node.name)
    read = frozenset(one.name.lower().encode("utf-8") for one in attributes if isinstance(one, Header))
    return PortPolicy(
        engine=loaded.engine,
        audits=loaded.audits,
        digest=loaded.bundle.policy,
        node=node,
        port=port,
        layer=declared.layer,
        is_http2=declared.protocol in _HTTP2,
        read=read | _OF_PREFLIGHTS if issuers else read,
        reads_client_ip=any(isinstance(one, ClientIp) for one in attributes),
        verifier=Verifier(issuers, rings, wall) if issuers else None,
        stripped=tuple(dict.fromkeys(one.place for one in issuers if one.is_stripped)),
        own=node.identity.uri,
        _mesh=mesh,
    )
