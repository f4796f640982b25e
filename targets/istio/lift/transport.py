"""What the objects say of connections: how gateways take them, and what the proxies of senders do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.backend.transport import (
    ClientTls,
    LiftedClient,
    LiftedOutside,
    LiftedServer,
    LiftedTransport,
    TlsEnd,
)
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.destination_rules import ClientTls as Mode
from meshproof.targets.istio.lift.destination_rules import DestinationRules, HostPolicy
from meshproof.targets.istio.lift.gateways import Listening, Server
from meshproof.targets.istio.lift.hosts import ANY
from meshproof.targets.istio.lift.registry import KnownHost, Registry
from meshproof.targets.istio.lift.senders import ELSEWHERE, Senders
from meshproof.targets.istio.lift.sidecars import Sidecars
from meshproof.targets.istio.lift.values import flag, mappings, text, texts
from meshproof.targets.istio.lift.workloads import Role

_ENDS = {
    "PASSTHROUGH": TlsEnd.PASSED,
    "AUTO_PASSTHROUGH": TlsEnd.PASSED,
    "OPTIONAL_MUTUAL": TlsEnd.OPTIONAL,
    "MUTUAL": TlsEnd.CLIENT,
    "ISTIO_MUTUAL": TlsEnd.MESH,
    "SIMPLE": TlsEnd.SERVER,
}
_CLIENTS = {Mode.AUTO: ClientTls.MESH, Mode.ISTIO_MUTUAL: ClientTls.MESH, Mode.DISABLE: ClientTls.NONE}
_SYSTEM = "system"


def transport_of(
    listening: tuple[Listening, ...], registry: Registry, rules: DestinationRules, senders: Senders
) -> LiftedTransport:
    """What is said of connections; fields that are not read are told by who accounts for fields."""
    sidecars = Sidecars(registry.context)
    workloads = [one for one in registry.context.workloads if one.role is Role.SIDECAR]
    closed = (one.name for one in workloads if sidecars.view(one.namespace, one).is_closed)
    return LiftedTransport(
        servers=tuple(_servers(listening)),
        clients=tuple(_clients(registry, rules, senders)),
        outside=tuple(_outside(registry)),
        closed=frozenset(closed),
        is_closed_elsewhere=sidecars.view(ELSEWHERE, None).is_closed,
    )


def _servers(listening: tuple[Listening, ...]) -> Iterator[LiftedServer]:
    for one in listening:
        for server in one.servers:
            for namespace, host in server.hosts:
                yield LiftedServer(
                    gateway=one.workload.name,
                    number=server.port,
                    workload=one.workload_port,
                    host=host,
                    binds=None if namespace == ANY else namespace,
                    end=_end(server),
                    certificate=server.certificate,
                    client_ca=server.client_ca,
                    is_redirecting=server.redirects_to_https,
                )


def _end(server: Server) -> TlsEnd:
    """How it takes connections: TLS is a matter of the protocol, and without a known mode it is ended plainly."""
    if server.protocol not in {"HTTPS", "TLS"}:
        return TlsEnd.PLAIN
    return _ENDS.get(server.tls_mode or "", TlsEnd.SERVER)


def _outside(registry: Registry) -> Iterator[LiftedOutside]:
    for entry in registry.entries:
        if entry.external is None:
            continue
        spec = entry.source.spec
        addresses = tuple(text(one.get("address")) or "" for one in mappings(spec.get("endpoints")))
        for host in entry.hosts:
            for port in entry.ports:
                yield LiftedOutside(
                    node=entry.external.name,
                    host=host,
                    number=port.number,
                    reached=port.workload,
                    is_at_will=text(spec.get("resolution")) in {None, "NONE"},
                    elsewhere=addresses,
                )


def _clients(registry: Registry, rules: DestinationRules, senders: Senders) -> Iterator[LiftedClient]:
    namespaces = sorted({sender.namespace for sender in senders.all})
    for host in registry.all:
        made: dict[int, tuple[LiftedClient, ...]] = {}  # most clients have the same object for a host
        for client in (one for one in namespaces if host.exports.reach(one)):
            policy = rules.policy(host.name, host.namespace, client)
            if id(policy) not in made:
                made[id(policy)] = tuple(_towards(host, client, policy))
            yield from (replace(one, namespace=client) for one in made[id(policy)])


def _towards(host: KnownHost, client: str, policy: HostPolicy) -> Iterator[LiftedClient]:
    is_plain = not policy.policy.entries and not any(one.policy.entries for one in policy.subsets)
    if is_plain and not host.is_external and not any(one.role is Role.GATEWAY for one in host.workloads):
        return  # as it is everywhere: most hosts are such, and what calls them is compared by what is not
    for port in host.ports:
        nodes = dict.fromkeys(end.node for end in host.ends(port.number))
        for version in (None, *(one.name for one in policy.subsets)):
            mode = policy.tls(port.number, version)
            tls = policy.section("tls", port.number, version)
            for node in nodes:
                yield LiftedClient(
                    namespace=client,
                    node=node,
                    host=host.name,
                    number=port.number,
                    version=version,
                    tls=_client(mode, host),
                    names=tuple(one.value for one in texts(tls.get("subjectAltNames"))),
                    is_checked=_is_checked(mode, tls),
                    sni=text(tls.get("sni")),
                )


def _client(mode: Mode, host: KnownHost) -> ClientTls:
    """Towards what is outside no identity is shown unless it is asked for: nobody there takes one."""
    if mode is Mode.AUTO and host.is_external:
        return ClientTls.NONE
    return _CLIENTS.get(mode, ClientTls.STARTED)


def _is_checked(mode: Mode, tls: MapNode) -> bool:
    """Whether the server is asked for a certificate of an authority that the system knows, and it shows none itself.

    With `credentialName` sidecars have no TLS at all, unless the rule selects their workloads.
    """
    is_loose = flag(tls.get("insecureSkipVerify")) or tls.get("credentialName") is not None
    return mode is Mode.SIMPLE and text(tls.get("caCertificates")) == _SYSTEM and not is_loose
