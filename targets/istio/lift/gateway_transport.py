"""Who has an identity at each port of a gateway: its servers end TLS, each in its way, or leave it alone.

PeerAuthentications say nothing about these ports. Where no TLS is ended, or clients show no certificate, nobody has
an identity; behind ISTIO_MUTUAL all have one, of whatever trust domain; behind MUTUAL those whose certificate has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mtls import MtlsMode, MtlsPolicy, PortScope
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, Predicate, SourceIdentity, Test, conjunction, disjunction, negation
from meshproof.targets.istio.lift.gateways import Listening, Server
from meshproof.targets.istio.lift.hosts import ANY, covers
from meshproof.targets.istio.lift.route_conditions import sni_test
from meshproof.targets.istio.lift.unmodelled import ANONYMOUS, IDENTIFIED, About, unknown_rules

_MODES = {
    "ISTIO_MUTUAL": MtlsMode.STRICT,
    "MUTUAL": MtlsMode.PERMISSIVE,
    "OPTIONAL_MUTUAL": MtlsMode.PERMISSIVE,
}
_UNCHECKED = "AUTO_PASSTHROUGH"
_INSTALLED_PORTS = {80: 8080, 443: 8443}


@dataclass(frozen=True, slots=True)
class EdgeTransport:
    """The statements for ports, and rules where nobody can tell who has an identity.

    `nameless` are the ports at which a caller may be known by a certificate that holds no SPIFFE ID.
    """

    statements: tuple[MtlsPolicy, ...]
    unknown: tuple[AuthzRule, ...]
    nameless: dict[NodeName, tuple[int, ...]]


def lift_gateway_transport(listening: tuple[Listening, ...]) -> EdgeTransport:
    """What holds at the ports of gateways that files show; nodes that are known from elsewhere are what they are."""
    shown = tuple(one for one in listening if one.workload.node is None)
    found = (*shown, *_as_installed(shown))
    return EdgeTransport(
        tuple(map(_statement, found)),
        tuple(rule for one in found for rule in _doubts(one)),
        _nameless(found),
    )


def _as_installed(shown: tuple[Listening, ...]) -> Iterator[Listening]:
    """The ports at which pods listen, as Istio installs gateways, where no file has the Service that leads there."""
    taken = {(one.workload.name, one.workload_port) for one in shown}
    for one in shown:
        port = _INSTALLED_PORTS.get(one.workload_port)
        is_open = port is not None and (one.workload.name, port) not in taken
        if port is not None and is_open and one.workload.is_inferred and not one.workload.services:
            yield replace(one, workload_port=port)


def _statement(one: Listening) -> MtlsPolicy:
    return MtlsPolicy(PortScope(one.workload.name, one.workload_port), _mode(one), one.servers[0].origin)


def _nameless(found: tuple[Listening, ...]) -> dict[NodeName, tuple[int, ...]]:
    """To Envoy whatever such a certificate is for, a DNS name or a subject, is a principal."""
    ports: dict[NodeName, list[int]] = {}
    for one in found:
        if any(_mode_of(server) is MtlsMode.PERMISSIVE for server in one.servers):
            ports.setdefault(one.workload.name, []).append(one.workload_port)
    return {name: tuple(numbers) for name, numbers in ports.items()}


def _mode(one: Listening) -> MtlsMode:
    """The mode in which all servers of a port are; with several, clients with and without identity may come."""
    modes = {_mode_of(server) for server in one.servers}
    return modes.pop() if len(modes) == 1 else MtlsMode.PERMISSIVE


def _mode_of(server: Server) -> MtlsMode:
    return _MODES.get(server.tls_mode or "", MtlsMode.DISABLED)


def _doubts(one: Listening) -> Iterator[AuthzRule]:
    """What is known of no request, or of none that asks for the name of some server."""
    is_mixed = len({_mode_of(server) for server in one.servers}) > 1
    for number, server in enumerate(one.servers):
        name = f"{one.workload.name}:{one.workload_port}/{number}"
        place = (server.origin, (one.workload.name,), (one.workload_port,))
        asked = _is_asked(server, one.servers)
        if server.tls_mode == _UNCHECKED:
            yield from unknown_rules(f"unchecked:{name}", "tls.mode AUTO_PASSTHROUGH", *place, About(when=asked))
        if server.skips_verification and _mode_of(server) is not MtlsMode.DISABLED:
            field = "tls.insecureSkipVerify of a server"
            yield from unknown_rules(f"unverified:{name}", field, *place, About(when=asked))
        if server.client_names and _mode_of(server) is not MtlsMode.DISABLED:
            others = About(_all_but(server.client_names), asked)
            yield from unknown_rules(f"names:{name}", "tls.subjectAltNames of a server", *place, others)
        if is_mixed and _mode_of(server) is not MtlsMode.PERMISSIVE:
            never = ANONYMOUS if _mode_of(server) is MtlsMode.STRICT else IDENTIFIED
            field = f"who has an identity at the server `{server.name}`"
            yield from unknown_rules(f"server:{name}", field, *place, About(never, asked))


def _is_asked(server: Server, servers: tuple[Server, ...]) -> Predicate:
    """That the client asks for the server: by one of its names, and by no closer one of another."""
    own = dict.fromkeys(host for _, host in server.hosts)
    others = dict.fromkeys(host for other in servers if other is not server for _, host in other.hosts)
    return disjunction(tuple(_is_closest(name, others) for name in own))


def _is_closest(name: str, others: Iterable[str]) -> Predicate:
    closer = (negation(sni_test(other)) for other in others if other != name and covers(name, other))
    return conjunction((Always() if name == ANY else sni_test(name), *closer))


def _all_but(names: tuple[str, ...]) -> SourceSet:
    """The callers whose certificate has none of the names, or has one that no request tells."""
    known = disjunction(tuple(Test(SourceIdentity(), Exact(name)) for name in names))
    return SourceSet(negation(known), has_internet=True, members=(), shared=(), text="callers with other names")
