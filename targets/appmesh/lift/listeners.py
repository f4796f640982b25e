"""Who may connect to a listener: the one control of App Mesh that the server's own proxy enforces.

Source: App Mesh user guide, "Transport Layer Security" and "Mutual TLS authentication"; and what its Envoy does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, Layer, Protocol, ServicePort
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, PortScope
from meshproof.compiler.ir.names import NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import Always, Predicate, SourceIdentity, Test, disjunction, negation
from meshproof.targets.appmesh.lift.found import Found
from meshproof.targets.appmesh.lift.identities import name_test, names_in
from meshproof.targets.common.callers import Identities
from meshproof.targets.common.callers_text import callers_text

_PROTOCOLS = {"http": Protocol.HTTP, "http2": Protocol.HTTP2, "grpc": Protocol.GRPC, "tcp": Protocol.TCP}


@dataclass(frozen=True, slots=True)
class Accepting:
    """A listener: its port, how it takes connections, and from whom.

    `names` are the names that certificates may have, each as a condition; none if any of the authority will do.
    """

    port: ServicePort
    spoken: str
    mode: MtlsMode
    callers: Predicate
    origin: Origin
    names: tuple[Predicate, ...] = ()


def listeners_of(found: Found[Any], trust_domain: str) -> Iterator[Accepting]:
    """The listeners of a virtual node or gateway; of several on one port the first counts."""
    seen: set[int] = set()
    for index, listener in enumerate(found.value.spec.listeners or ()):
        number = listener.port_mapping.port
        if number not in seen:
            seen.add(number)
            yield _listener(listener, found.place("spec", "listeners", index), trust_domain)


def _listener(listener: Any, origin: Origin, trust_domain: str) -> Accepting:  # noqa: ANN401  of a node or a gateway
    mapping = listener.port_mapping
    protocol = _PROTOCOLS[mapping.protocol]
    layer = Layer.TCP if protocol is Protocol.TCP else Layer.HTTP
    mode, callers, names = _admission(listener.tls, origin, trust_domain)
    port = ServicePort(f"port-{mapping.port}", protocol, layer, mapping.port, mapping.port, origin)
    return Accepting(port, mapping.protocol, mode, callers, origin, names)


def _admission(
    tls: Any,  # noqa: ANN401  of either
    origin: Origin,
    trust_domain: str,
) -> tuple[MtlsMode, Predicate, tuple[Predicate, ...]]:
    """Whether callers have an identity, and which may come; last those names.

    Without validation nobody is asked for a certificate, so nobody has an identity, whatever is spoken. Where plaintext
    is taken besides, whom the names keep out comes without one.
    """
    if tls is None or tls.mode == "DISABLED" or tls.validation is None:
        return MtlsMode.DISABLED, Always(), ()
    names = names_in(tls.validation)
    tests = tuple(name_test(name, trust_domain, origin) for name in names)
    allowed: Predicate = disjunction(tests) if tests else Test(SourceIdentity(), Present())
    if tls.mode == "PERMISSIVE":
        return MtlsMode.PERMISSIVE, disjunction((allowed, negation(Test(SourceIdentity(), Present())))), tests
    return MtlsMode.STRICT, allowed, tests


def rules_of(node: NodeName, listeners: tuple[Accepting, ...], callers: Identities) -> Iterator[AuthzRule]:
    """What each listener lets in; whatever no listener is for is refused."""
    for one in listeners:
        yield AuthzRule(
            id=RuleId(f"{node}:{one.port.number}"),
            effect=Effect.ALLOW,
            sources=callers.source_set(one.callers, callers_text(one.callers)),
            destinations=(Destination(node, (one.port.workload,)),),
            operations=(),
            when=Always(),
            origin=one.origin,
        )


def statements_of(node: NodeName, listeners: tuple[Accepting, ...], *, is_gateway: bool) -> Iterator[MtlsPolicy]:
    """How each listener takes connections. A gateway that asks nobody for an identity is as any gateway is."""
    for one in listeners:
        if not (is_gateway and one.mode is MtlsMode.DISABLED):
            yield MtlsPolicy(PortScope(node, one.port.workload), one.mode, one.origin)
