"""How gateways take connections, against what the policy says: where they listen, how TLS ends, who is believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from meshproof.compiler.backend.transport import LiftedServer, TlsEnd
from meshproof.compiler.ir.entities import Gateway, Layer, Protocol, ServicePort
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.verify.semantic_diff_values import DiffWitness
from meshproof.compiler.verify.translation_gaps import Compared, Gap

_TLS = frozenset((Protocol.HTTPS, Protocol.TLS))
_WORDS = {
    TlsEnd.PLAIN: "takes connections without TLS",
    TlsEnd.PASSED: "hands TLS on unread",
    TlsEnd.SERVER: "ends TLS and asks callers for no certificate",
    TlsEnd.OPTIONAL: "ends TLS and takes callers without a certificate too",
    TlsEnd.CLIENT: "ends TLS for callers with a certificate of a client authority alone",
    TlsEnd.MESH: "ends TLS for callers with an identity of the mesh alone",
}
_ASKING = frozenset((TlsEnd.CLIENT, TlsEnd.MESH))


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the policy says of a host at a port of a gateway."""

    end: TlsEnd
    certificate: str | None = None
    client_ca: str | None = None


def edge_gaps(about: Compared) -> Iterator[Gap]:
    """What differs at gateways."""
    lifted = {one.name: one for one in about.lifted.gateways}
    for gateway in about.source.gateways:
        found = lifted.get(about.to_new.get(gateway.name, gateway.name))
        if found is not None:
            yield from _servers(gateway, about)
            yield from _client(gateway, found, about)
    known = {about.to_new.get(gateway.name) for gateway in about.source.gateways}
    for node in dict.fromkeys(one.gateway for one in about.transport.servers if one.gateway not in known):
        yield Gap(is_looser=True, place=str(node), subject=str(node), emitted="is a gateway there", policy="has none")


def _servers(gateway: Gateway, about: Compared) -> Iterator[Gap]:
    name = about.to_new[gateway.name]
    servers = [one for one in about.transport.servers if one.gateway == name]
    own, relayed = _own(gateway), _relayed(gateway, about)
    for server in servers:
        key = (server.workload, server.host)
        expected = own.get(key) or relayed.get(key)
        yield from _server(gateway, server, expected, about)
    listening = {(one.workload, one.host) for one in servers}
    for key in sorted((own.keys() | relayed.keys()) - listening):
        workload, host = key
        yield Gap(
            is_looser=False,
            place=_place(gateway, workload),
            subject=str(gateway.name),
            emitted=f"does not listen for `{host}`",
            policy="does",
            witness=_caller(gateway, workload, host, (own.get(key) or relayed[key]).end, about),
        )


def _own(gateway: Gateway) -> dict[tuple[int, str], _Expected]:
    """What is said of the gateway's own hosts."""
    return {(port.workload, host.lower()): _expected(gateway, port) for port in gateway.ports for host in gateway.hosts}


def _expected(gateway: Gateway, port: ServicePort) -> _Expected:
    if port.is_passthrough:
        return _Expected(TlsEnd.PASSED)
    if port.protocol not in _TLS:
        return _Expected(TlsEnd.PLAIN)
    end = TlsEnd.SERVER if gateway.client_ca is None else TlsEnd.CLIENT
    return _Expected(end, gateway.certificate, gateway.client_ca)


def _relayed(gateway: Gateway, about: Compared) -> dict[tuple[int, str], _Expected]:
    """Externals that are called through the gateway: callers have an identity, and it comes in with the mesh's TLS.

    Which of the ports with TLS that is, is not the policy's matter: the one at which any of their hosts is taken.
    """
    hosts = {host.lower() for one in about.source.externals if one.via == gateway.name for host in one.hosts}
    ports = {port.workload for port in gateway.ports if port.protocol in _TLS}
    name = about.to_new[gateway.name]
    at = {one.workload for one in about.transport.servers if one.gateway == name and one.host in hosts}
    return {(port, host): _Expected(TlsEnd.MESH) for port in ports & at for host in hosts}


def _server(gateway: Gateway, server: LiftedServer, expected: _Expected | None, about: Compared) -> Iterator[Gap]:
    place, subject = _place(gateway, server.workload), str(gateway.name)
    gap = Gap(is_looser=True, place=place, subject=subject, emitted="", policy="")
    if expected is None:
        yield replace(gap, emitted=f"listens for `{server.host}`", policy="does not")
        return
    if server.end is not expected.end:
        is_looser = expected.end in _ASKING or server.end not in _ASKING
        yield replace(
            gap,
            is_looser=is_looser,
            emitted=_WORDS[server.end],
            policy=_WORDS[expected.end],
            witness=_caller(gateway, server.workload, server.host, server.end, about),
        )
    elif server.end in {TlsEnd.SERVER, TlsEnd.CLIENT}:
        yield from _secrets(gap, gateway, server, expected, about)
    if server.binds is None or server.binds != gateway.namespace:
        whose = "every namespace" if server.binds is None else f"namespace {server.binds}"
        policy = "has its own routes alone"
        yield replace(gap, emitted=f"lets routes of {whose} take `{server.host}`", policy=policy)
    if server.is_redirecting:
        emitted, policy = f"redirects requests for `{server.host}` to TLS", "answers them"
        yield replace(gap, is_looser=False, emitted=emitted, policy=policy)


def _secrets(gap: Gap, gateway: Gateway, server: LiftedServer, expected: _Expected, about: Compared) -> Iterator[Gap]:
    """Another certificate is neither looser nor stricter, but whoever has its key is taken for the gateway."""
    witness = _caller(gateway, server.workload, server.host, server.end, about)
    if server.certificate != expected.certificate:
        emitted, policy = f"shows {_secret(server.certificate)}", f"wants {_secret(expected.certificate)}"
        yield replace(gap, emitted=emitted, policy=policy, witness=witness)
    if server.client_ca != expected.client_ca:
        emitted = f"believes certificates of {_authority(server.client_ca)}"
        yield replace(gap, emitted=emitted, policy=f"those of {_authority(expected.client_ca)}", witness=witness)


def _secret(name: str | None) -> str:
    return "no certificate" if name is None else f"the certificate `{name}`"


def _authority(name: str | None) -> str:
    return "nobody" if name is None else f"`{name}`"


def _caller(gateway: Gateway, workload: int, name: str, end: TlsEnd, about: Compared) -> DiffWitness | None:
    """A caller from outside who shows nothing of itself."""
    port = next((one for one in gateway.ports if one.workload == workload), None)
    if port is None:
        return None
    host = name.replace("*", "any", 1)
    sni = None if end is TlsEnd.PLAIN else host
    request = Request(Peer(None), gateway.name, workload, RequestProtocol.TCP, sni=sni)
    if port.layer is not Layer.TCP:
        request = replace(request, protocol=RequestProtocol.HTTP, method="GET", host=host, path="/")
    return about.shown(request)


def _client(gateway: Gateway, found: Gateway, about: Compared) -> Iterator[Gap]:
    """How far back a gateway looks for the client: one proxy more believes what the client writes.

    One number is configured for all gateways. Where the policy has several, the target says so, and no file has any.
    """
    numbers = {one.trusted_proxies for one in about.source.gateways}
    is_unsaid = len(numbers) > 1 and not any(one.trusted_proxies for one in about.lifted.gateways)
    if found.trusted_proxies == gateway.trusted_proxies or is_unsaid:
        return
    yield Gap(
        is_looser=True,
        place=str(gateway.name),
        subject=str(gateway.name),
        emitted=f"takes the word of {_proxies(found.trusted_proxies)} before it for who the client is",
        policy=f"that of {_proxies(gateway.trusted_proxies)}",
        witness=_forwarded(gateway, about),
    )


def _proxies(number: int) -> str:
    return f"{number or 'no'} {'proxy' if number == 1 else 'proxies'}"


def _forwarded(gateway: Gateway, about: Compared) -> DiffWitness | None:
    """A request with two addresses before the peer's: each side takes another of them for the client."""
    port = next((one for one in gateway.ports if one.layer is not Layer.TCP), None)
    if port is None:
        return None
    headers = (("x-forwarded-for", "203.0.113.7, 198.51.100.9"),)
    peer = Peer(None, "192.0.2.1")
    host = gateway.hosts[0].replace("*", "any", 1) if gateway.hosts else str(gateway.name)
    return about.shown(
        Request(
            peer, gateway.name, port.workload, RequestProtocol.HTTP, method="GET", host=host, path="/", headers=headers
        )
    )


def _place(gateway: Gateway, workload: int) -> str:
    port = next((one for one in gateway.ports if one.workload == workload), None)
    return f"{gateway.name}:{workload if port is None else port.name}"
