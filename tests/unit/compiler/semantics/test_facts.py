from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.building import FRONT, connection, gateway, mesh, port, request, service, token_of
from tests.strategies.predicates import origin
from tests.strategies.vocabulary import DAY

from meshproof.compiler.ir.entities import Issuer, Layer, Protocol
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.compiler.ir.predicate import (
    Attribute,
    Claim,
    ClientIp,
    Header,
    Host,
    Method,
    Path,
    Port,
    Query,
    RawAuthority,
    Sni,
    SourceIdentity,
    SourceIp,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Peer, Request
from meshproof.compiler.semantics import MalformedRequest, facts_of
from meshproof.compiler.semantics.wellformed import normal_host

IDP = Issuer(IssuerName("idp"), "https://idp", None, ("shop",), origin())
SHOP = replace(service("shop", port(), port(5432, Layer.TCP, Protocol.TCP, "db")), accepts=(IDP.name,))
MESH = replace(mesh(), services=(SHOP,), issuers=(IDP,), aliases=("old.local",))
CLAIMS: dict[str, ClaimValue] = {"iss": "https://idp", "sub": "u", "azp": "app", "org": ClaimObject((("id", "7"),))}
FULL = replace(
    request(),
    method="POST",
    path="/a/../%62?q=1&q=%32&p",
    host="Shop.Example.:80",
    headers=(("x-a", "1"), ("x-b", "2"), ("x-a", "1,2")),
    token=token_of(CLAIMS),
    sni="SHOP",
    client_ip="192.0.2.1",
)
EVERY: dict[Attribute, tuple[str, ...]] = {
    SourceIdentity(): (FRONT,),
    SourceIp(): ("10.0.0.1",),
    ClientIp(): (),
    Method(): ("POST",),
    Path(): ("/b",),
    Host(): ("shop.example",),
    RawAuthority(): ("Shop.Example.:80",),
    Port(): ("8080",),
    Sni(): ("shop",),
    Header("x-a"): ("1", "1,2"),
    Header("x-c"): (),
    Query("q"): ("1", "%32"),
    Query("p"): ("",),
    Query("x"): (),
    TokenIssuer(): ("https://idp",),
    TokenSubject(): ("u",),
    TokenAudience(): ("shop",),
    TokenPresenter(): ("app",),
    Claim(("org", "id")): ("7",),
    Claim(("aud",)): (),
}


def _values(sent: Request) -> dict[Attribute, tuple[str, ...] | None]:
    facts = facts_of(MESH, sent, DAY)
    return {attribute: facts.values(attribute) for attribute in EVERY}


def test_every_attribute_of_a_full_request() -> None:
    assert _values(FULL) == EVERY


def test_a_connection_has_no_attribute_of_http() -> None:
    present = {
        attribute: values for attribute, values in _values(replace(connection(), sni="DB")).items() if values != ()
    }
    assert present == {
        SourceIdentity(): (FRONT,),
        SourceIp(): ("10.0.0.1",),
        Port(): ("5432",),
        Sni(): ("db",),
    }


def test_what_is_left_out_is_not_known_and_what_is_not_there_is_absent() -> None:
    bare = Request(Peer(None), SHOP.name, 8080, request().protocol)
    facts = facts_of(MESH, bare, DAY)
    unknown = {attribute for attribute in EVERY if facts.values(attribute) is None}
    assert unknown == {SourceIp(), Method(), Path(), Host(), RawAuthority(), Query("q"), Query("p"), Query("x")}
    absent = {attribute for attribute in EVERY if facts.values(attribute) == ()}
    assert absent == EVERY.keys() - unknown - {Port()}


def test_client_ip_is_there_for_gateways_alone() -> None:
    edge = gateway().identity.uri
    assert facts_of(MESH, replace(FULL, source=Peer(edge)), DAY).client_ip == ("192.0.2.1",)
    assert facts_of(MESH, replace(FULL, source=Peer(edge), client_ip=None), DAY).client_ip is None
    assert facts_of(MESH, replace(FULL, source=Peer(None), sni=None), DAY).client_ip == ()
    aliased = edge.replace("cluster.local", "old.local")
    assert facts_of(MESH, replace(FULL, source=Peer(aliased)), DAY).client_ip == ("192.0.2.1",)


def test_an_alias_is_read_as_ours() -> None:
    sent = replace(FULL, source=Peer(FRONT.replace("cluster.local", "old.local")))
    assert facts_of(MESH, sent, DAY).identity == FRONT


@pytest.mark.parametrize(("method", "path"), [("CONNECT", "/"), ("OPTIONS", "*"), ("GET", "/a#b"), ("GET", "")])
def test_a_refused_path_is_absent(method: str, path: str) -> None:
    facts = facts_of(MESH, replace(FULL, method=method, path=path), DAY)
    assert facts.is_path_refused
    assert facts.values(Path()) == ()


@pytest.mark.parametrize("claims", [{"iss": "https://other"}, {"iss": "https://idp", "aud": "else"}])
def test_a_token_that_is_not_good_gives_nothing(claims: dict[str, ClaimValue]) -> None:
    facts = facts_of(MESH, replace(FULL, token=token_of(claims)), DAY)
    assert facts.claims is None
    assert facts.values(TokenAudience()) == facts.values(TokenIssuer()) == ()


def test_a_proxy_that_looks_for_no_token_sees_all_else() -> None:
    facts = facts_of(MESH, FULL, DAY)
    assert facts.without_token() == facts_of(MESH, replace(FULL, token=None), DAY)


def test_facts_are_of_well_formed_requests_alone() -> None:
    with pytest.raises(MalformedRequest, match="nothing that is declared is named `nobody`"):
        facts_of(MESH, request(NodeName("nobody")), DAY)


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("Shop.Example", "shop.example"),
        ("shop.example:8080", "shop.example"),
        ("shop.example.:8080", "shop.example"),
        ("shop.example..", "shop.example."),
        ("shop.example:", "shop.example"),
        ("[2001:DB8::1]:80", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("\u212aelvin", "\u212aelvin"),
        ("", ""),
    ],
)
def test_normal_hosts(authority: str, host: str) -> None:
    assert normal_host(authority) == host
