"""How gateways take connections is compared by host and port: TLS, certificates, who is believed, whose routes bind."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.transport import LiftedServer, LiftedTransport, TlsEnd
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.verify.translation_edges import edge_gaps
from meshproof.compiler.verify.translation_gaps import Compared, Gap

DAY = date(2026, 11, 23)
MESH = """
mesh m { language 1  trust-domain "td"  namespace shop  mtls strict  egress open }
gateway edge {
    namespace ingress
    hosts "a.example", "B.example"
    port http 80 -> 8080
    port https 443 -> 8443
    certificate "cert"
    client-ca "ca"
    trusted-proxies 2
}
"""
SOURCE = mesh_of(MESH, has_mesh=True)
EDGE = NodeName("edge")


def server(host: str, *, is_tls: bool) -> LiftedServer:
    number, workload = (443, 8443) if is_tls else (80, 8080)
    found = LiftedServer(EDGE, number, workload, host, "ingress", TlsEnd.PLAIN)
    return replace(found, end=TlsEnd.CLIENT, certificate="cert", client_ca="ca") if is_tls else found


RIGHT = tuple(server(host, is_tls=is_tls) for host in ("a.example", "b.example") for is_tls in (False, True))
PLAIN, TLS = RIGHT[0], RIGHT[1]


def gaps(servers: tuple[LiftedServer, ...], source: Mesh = SOURCE, lifted: Mesh | None = None) -> list[Gap]:
    names = {one.name: one.name for one in source.gateways}
    about = Compared(source, lifted or source, LiftedTransport(servers=servers), DAY, names)
    return [*edge_gaps(about)]


def changed(one: LiftedServer, **fields: object) -> tuple[LiftedServer, ...]:
    return tuple(replace(one, **fields) if known is one else known for known in RIGHT)  # type: ignore[arg-type]


def test_what_is_as_the_policy_says_is_no_gap() -> None:
    assert gaps(RIGHT) == []


@pytest.mark.parametrize(
    ("servers", "emitted", "is_looser"),
    [
        (changed(TLS, end=TlsEnd.SERVER), "ends TLS and asks callers for no certificate", True),
        (changed(TLS, end=TlsEnd.OPTIONAL), "ends TLS and takes callers without a certificate too", True),
        (changed(TLS, end=TlsEnd.PLAIN), "takes connections without TLS", True),
        (changed(TLS, end=TlsEnd.PASSED), "hands TLS on unread", True),
        (changed(TLS, end=TlsEnd.MESH), "ends TLS for callers with an identity of the mesh alone", True),
        (changed(PLAIN, end=TlsEnd.SERVER), "ends TLS and asks callers for no certificate", True),
        (
            changed(PLAIN, end=TlsEnd.CLIENT),
            "ends TLS for callers with a certificate of a client authority alone",
            False,
        ),
        (changed(TLS, certificate="other"), "shows the certificate `other`", True),
        (changed(TLS, certificate=None), "shows no certificate", True),
        (changed(TLS, client_ca="other"), "believes certificates of `other`", True),
        (changed(PLAIN, binds=None), "lets routes of every namespace take `a.example`", True),
        (changed(PLAIN, binds="shop"), "lets routes of namespace shop take `a.example`", True),
        (changed(PLAIN, is_redirecting=True), "redirects requests for `a.example` to TLS", False),
        ((*RIGHT, replace(PLAIN, host="c.example")), "listens for `c.example`", True),
        ((*RIGHT, replace(PLAIN, workload=9000)), "listens for `a.example`", True),
        (RIGHT[1:], "does not listen for `a.example`", False),
    ],
)
def test_each_difference_is_found(servers: tuple[LiftedServer, ...], emitted: str, is_looser: bool) -> None:
    (found,) = gaps(servers)
    assert (found.emitted, found.is_looser, found.subject) == (emitted, is_looser, "edge")


def test_another_way_to_end_tls_is_shown_by_a_caller_who_shows_nothing() -> None:
    (found,) = gaps(changed(TLS, end=TlsEnd.SERVER))
    assert found.witness is not None
    request = found.witness.request
    assert (request.source.identity, request.port, request.sni) == (None, 8443, "a.example")


def test_tls_that_is_ended_without_a_client_authority_may_not_ask_for_one_unsaid() -> None:
    source = mesh_of(MESH.replace('client-ca "ca"', ""), has_mesh=True)
    (found, other) = gaps(RIGHT, source)
    assert found.place == "edge:https"
    assert not found.is_looser
    assert other.emitted == found.emitted


def test_the_proxies_before_a_gateway_are_compared() -> None:
    for number, words in ((0, "no proxies"), (1, "1 proxy"), (3, "3 proxies")):
        other = replace(SOURCE, gateways=(replace(SOURCE.gateways[0], trusted_proxies=number),))
        (found,) = gaps(RIGHT, lifted=other)
        assert found.emitted == f"takes the word of {words} before it for who the client is"
        assert found.is_looser


def test_several_numbers_of_proxies_are_in_no_file() -> None:
    """The target says so (MP708), and each gateway is to be told by an annotation."""
    more = replace(SOURCE.gateways[0], name=NodeName("two"), hosts=(), trusted_proxies=1)
    source = replace(SOURCE, gateways=(*SOURCE.gateways, more))
    unsaid = replace(source, gateways=tuple(replace(one, trusted_proxies=0) for one in source.gateways))
    said = replace(source, gateways=tuple(replace(one, trusted_proxies=1) for one in source.gateways))

    assert gaps(RIGHT, source, unsaid) == []
    assert [found.subject for found in gaps(RIGHT, source, said)] == ["edge"]


RELAYING = mesh_of(
    MESH.replace('client-ca "ca"', "")
    + 'external api { hosts "api.example"  port https 443 originate  via edge }\nservice web { port http 80 }\n',
    has_mesh=True,
)
OWN = tuple(replace(one, end=TlsEnd.SERVER, client_ca=None) if one.end is not TlsEnd.PLAIN else one for one in RIGHT)
RELAY = LiftedServer(EDGE, 443, 8443, "api.example", "ingress", TlsEnd.MESH)


def test_what_goes_through_a_gateway_comes_in_with_an_identity() -> None:
    assert gaps((*OWN, RELAY), RELAYING) == []
    (found,) = gaps((*OWN, replace(RELAY, end=TlsEnd.SERVER)), RELAYING)
    assert (found.is_looser, found.emitted) == (True, "ends TLS and asks callers for no certificate")
    (found,) = gaps((*OWN, replace(RELAY, workload=8080)), RELAYING)
    assert found.emitted == "listens for `api.example`"


def test_whoever_is_no_gateway_of_the_policy_may_not_become_one() -> None:
    (found,) = gaps((*RIGHT, replace(PLAIN, gateway=NodeName("web"))))
    assert (found.place, found.emitted, found.is_looser) == ("web", "is a gateway there", True)
