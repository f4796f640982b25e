"""Hosts for which a gateway wants a certificate of the client, and that another server of it gives without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Label
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import ESCAPED_CERTIFICATE
from meshproof.targets.istio.lift.hosts import covers, is_wild
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.notices.naming import named
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import mappings, number, origin_of, text, texts

_ASKING = frozenset(("MUTUAL", "ISTIO_MUTUAL"))
_WITHOUT = frozenset(("SIMPLE", "OPTIONAL_MUTUAL"))


@dataclass(frozen=True, slots=True)
class _Server:
    port: int | None
    mode: str
    hosts: tuple[str, ...]
    origin: Origin


def notice_client_certificates(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each server that asks, whose hosts a server for more hosts has without asking.

    Which server is taken is told by the name in the TLS handshake, and where a request goes by its host: nobody
    compares the two. Only servers of one Gateway are looked at, as routes bind to both of them at once.
    """
    for source in context.objects.of(Kind.GATEWAY):
        servers = () if source in refused else tuple(_servers(source))
        for asking in (one for one in servers if one.mode in _ASKING):
            for other in (one for one in servers if one.mode in _WITHOUT and one.port == asking.port):
                wide = [host for host in other.hosts if is_wild(host)]
                given = [host for host in asking.hosts if any(covers(pattern, host) for pattern in wide)]
                if given:
                    _report(context, source, (asking, other), given)


def _report(context: LiftContext, source: KubeObject, pair: tuple[_Server, _Server], hosts: list[str]) -> None:
    asking, other = pair
    context.findings.add(
        ESCAPED_CERTIFICATE,
        f"{named(hosts)} of Gateway `{source.full_name}` is given without a certificate, to who names another server",
        source.full_name,
        asking.origin,
        label="asks for a certificate",
        others=(Label(other.origin.span, "takes the same hosts without one"),),
        advice="give the hosts a port of their own, or answer 421 where the host is not the name of the handshake",
    )


def _servers(source: KubeObject) -> Iterator[_Server]:
    for one in mappings(source.spec.get("servers")):
        hosts = tuple(found.value.rpartition("/")[2] for found in texts(one.get("hosts")))
        yield _Server(number(one.at("port", "number")), text(one.at("tls", "mode")) or "", hosts, origin_of(one))
