from __future__ import annotations

from dataclasses import replace

import pytest
from tests.strategies.building import mesh, request, service, token, token_of
from tests.strategies.predicates import origin

from meshproof.compiler.ir.entities import External, Issuer
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, RequestProtocol
from meshproof.compiler.semantics.token import (
    accepted_issuers,
    audiences_of,
    is_preflight,
    seen_token,
    strings_in,
    verifying_issuer,
)

PREFLIGHT = (("origin", "https://a"), ("access-control-request-method", "GET"))


def issuer(name: str, *audiences: str, url: str | None = None) -> Issuer:
    return Issuer(IssuerName(name), url or f"https://{name}", None, audiences, origin())


IDP, FREE = issuer("idp", "shop", "mail"), issuer("free")
MESH = replace(mesh(), issuers=(FREE, IDP, issuer("other")))
SHOP = replace(service(), accepts=(IssuerName("idp"), IssuerName("free")))


def test_a_destination_accepts_the_issuers_that_it_names() -> None:
    assert accepted_issuers(MESH, SHOP) == (FREE, IDP)
    assert accepted_issuers(MESH, service()) == ()
    assert accepted_issuers(MESH, External(NodeName("x"), (), (), origin())) == ()


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("OPTIONS", PREFLIGHT, True),
        ("OPTIONS", PREFLIGHT[:1], False),
        ("OPTIONS", PREFLIGHT[1:], False),
        ("GET", PREFLIGHT, False),
        (None, PREFLIGHT, False),
    ],
)
def test_preflight(method: str | None, headers: tuple[tuple[str, str], ...], expected: bool) -> None:
    assert is_preflight(replace(request(), method=method, headers=headers)) is expected


def test_who_sees_a_token() -> None:
    sent = replace(request(), token=token(iss="https://idp"))
    assert seen_token(MESH, SHOP, sent) == sent.token
    assert seen_token(MESH, service(), sent) is None
    assert seen_token(MESH, SHOP, replace(sent, method="OPTIONS", headers=PREFLIGHT)) is None
    assert seen_token(MESH, SHOP, replace(sent, protocol=RequestProtocol.TCP)) is None


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://free"}, FREE),
        ({"iss": "https://free", "aud": "anything"}, FREE),
        ({"iss": "https://idp"}, IDP),
        ({"iss": "https://idp", "aud": "mail"}, IDP),
        ({"iss": "https://idp", "aud": ("else", "shop")}, IDP),
        ({"iss": "https://idp", "aud": "else"}, None),
        ({"iss": "https://other"}, None),
        ({"iss": ("https://free",)}, None),
        ({}, None),
    ],
)
def test_who_verifies_a_token(claims: dict[str, ClaimValue], expected: Issuer | None) -> None:
    assert verifying_issuer(MESH, SHOP, token_of(claims)) == expected
    assert verifying_issuer(MESH, SHOP, token_of(claims, is_valid=False)) is None


def test_of_two_issuers_with_one_url_the_audience_decides() -> None:
    twins = (issuer("a", "one", url="https://x"), issuer("b", "two", url="https://x"))
    both = replace(SHOP, accepts=(IssuerName("a"), IssuerName("b")))
    assert verifying_issuer(replace(MESH, issuers=twins), both, token(iss="https://x", aud="two")) == twins[1]


def test_a_token_without_audience_is_for_the_first_one_that_is_demanded() -> None:
    assert audiences_of(IDP, token().claims) == ("shop",)
    assert audiences_of(IDP, token(aud=("mail", "x")).claims) == ("mail", "x")
    assert audiences_of(FREE, token().claims) == ()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a", ("a",)),
        ("", ("",)),
        ("a b", ("a b",)),
        (("a", 7, "b", None, True, ("c",)), ("a", "b")),
        (7, ()),
        (7.5, ()),
        (True, ()),
        (None, ()),
        (ClaimObject((("a", "b"),)), ()),
    ],
)
def test_strings_of_a_claim(value: ClaimValue, expected: tuple[str, ...]) -> None:
    assert strings_in(ClaimObject((("x", value),)), ("x",)) == expected
    assert strings_in(ClaimObject((("y", ClaimObject((("x", value),))),)), ("y", "x")) == expected


@pytest.mark.parametrize("name", ["scope", "permission"])
def test_words_of_scope_and_permission(name: str) -> None:
    claims = ClaimObject(((name, " a  b "), ("z", ClaimObject(((name, "a b"),)))))
    assert strings_in(claims, (name,)) == ("a", "b")
    assert strings_in(claims, ("z", name)) == ("a b",)
    assert strings_in(ClaimObject(((name, ("a b",)),)), (name,)) == ("a b",)


def test_paths_lead_through_objects_alone() -> None:
    claims = ClaimObject((("a", "text"), ("b", (ClaimObject((("c", "x"),)),))))
    for path in (("missing",), ("a", "b"), ("b", "c"), ("a", "b", "c")):
        assert strings_in(claims, path) == ()
