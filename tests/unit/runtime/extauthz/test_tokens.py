"""Tokens at the authorizer, over both protocols: verified by it, or by the Envoy that asks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.strategies.minting import NOW, jwk, jwks, signed

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.runtime.bundle import load_bundle
from meshproof.runtime.core.http1 import Head
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.check import CONTEXT, PAYLOADS, Question
from meshproof.runtime.extauthz.check_messages import CheckRequest
from meshproof.runtime.extauthz.destinations import Destination, DestinationError
from meshproof.runtime.tokens.keys import key_set
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.verifier import Verifier, accepted_issuers

TEXT = """
mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
issuer login { url "https://login.example"  jwks "https://login.example/keys"  audiences "shop" }
issuer cookie { url "https://cookie.example"  jwks "https://cookie.example/keys"  from cookie "session" }
issuer taken { url "https://taken.example"  jwks "https://taken.example/keys"  strip }
service private { port http 80 -> 8080  accepts login }
service baked { port http 80 -> 8080  accepts cookie }
service bare { port http 80 -> 8080  accepts taken }
allow open: front -> private:http { GET /open }
allow mine: front -> private:http { GET /mine when token.subject == "ann" }
allow baked: front -> baked:http { GET /mine when token.subject == "ann" }
"""
MESH = policy_of_texts({"m.mesh": TEXT}).meshes[0]
DAY = date(2026, 11, 23)
Proto = Any
"""A message; they are made when they are loaded, and have no types."""

FRONT = "spiffe://cluster.local/ns/shop/sa/front"
CLAIMS = {"iss": "https://login.example", "aud": "shop", "sub": "ann", "exp": NOW + 600}
PRIVATE = Destination("/private", "private", 8080)
VERIFIED = Destination("/verified", "private", 8080, verified_payload="payload")
GOOD = signed(CLAIMS).decode()
TOKENS = [
    ("/mine", f"Bearer {GOOD}", 200),
    ("/mine", f"bearer  {GOOD}", 200),
    ("/mine", None, 403),
    ("/mine", "Basic YTpi", 403),
    ("/mine", "Bearer " + signed({**CLAIMS, "sub": "bob"}).decode(), 403),
    ("/mine", "Bearer " + signed({**CLAIMS, "exp": NOW - 3600}).decode(), 401),
    ("/mine", "Bearer " + signed(CLAIMS, "RS256", 1, kid="RS256-0").decode(), 401),
    ("/mine", "Bearer " + signed({**CLAIMS, "aud": "mail"}).decode(), 401),
    ("/mine", "Bearer " + signed({**CLAIMS, "iss": "https://evil"}).decode(), 401),
    ("/mine", "Bearer x", 401),
    ("/mine", "Bearer", 401),
    ("/open", None, 200),
    ("/open", f"Bearer {GOOD}", 200),
    ("/open", "Bearer x", 401),
    ("/mine", f"Basic YTpi,Bearer {GOOD}", 403),
    ("/open", f"Basic YTpi,Bearer {GOOD}", 403),
    ("/open", f"Bearer {GOOD},Bearer x", 403),
    ("/open", "Bearer \u00e9", 403),
]


def _authorizer(*destinations: Destination, names: tuple[str, ...] = ("private",)) -> Authorizer:
    rings: dict[IssuerName, KeyRing] = {}
    for issuer in MESH.issuers:
        rings[issuer.name] = KeyRing(lambda: 0.0)
        rings[issuer.name].put(key_set(jwks(jwk("RS256"))), 1.0)
    verifiers = {NodeName(name): Verifier(accepted_issuers(MESH, NodeName(name)), rings, lambda: NOW) for name in names}
    return Authorizer(load_bundle(dump(Bundle("digest", "known", enforced(MESH)))), destinations, verifiers)


AUTHORIZER = _authorizer(PRIVATE, VERIFIED)


def _over_http(target: str, *headers: tuple[str, str], method: str = "GET") -> int:
    told = (("host", "shop"), ("x-forwarded-client-cert", f"URI={FRONT}"), *headers)
    return AUTHORIZER.answer(Head(method, target, told), DAY).status


def _request(place: str, path: str) -> Proto:
    request: Proto = CheckRequest()
    request.attributes.source.principal = FRONT
    request.attributes.context_extensions[CONTEXT] = place
    http = request.attributes.request.http
    http.method, http.path, http.host = "GET", path, "shop"
    return request


def _over_grpc(request: Proto) -> int:
    return AUTHORIZER.check(Question(request.SerializeToString()), lambda _: (), DAY).status


@pytest.mark.parametrize(("path", "authorization", "status"), TOKENS)
def test_tokens_are_verified_whichever_way_they_come(path: str, authorization: str | None, status: int) -> None:
    request = _request("/private", path)
    if authorization is not None:
        request.attributes.request.http.headers["authorization"] = authorization
    assert _over_grpc(request) == status
    headers = () if authorization is None else (("Authorization".lower(), authorization),)
    assert _over_http(f"/private{path}", *headers) == status


@pytest.mark.parametrize(("path", "status"), [("/mine", 401), ("/open", 401)])
def test_two_lines_of_which_one_has_a_token_are_refused(path: str, status: int) -> None:
    request = _request("/private", path)
    for value in (b"Basic YTpi", b"Bearer " + GOOD.encode()):
        request.attributes.request.http.header_map.headers.add(key="authorization", raw_value=value)
    assert _over_grpc(request) == status


def test_nobody_looks_at_the_token_of_a_preflight() -> None:
    asked = (("origin", "https://a"), ("access-control-request-method", "GET"), ("authorization", "Bearer x"))
    assert _over_http("/private/mine", *asked, method="OPTIONS") == 403
    assert _over_http("/private/mine", *asked[1:], method="OPTIONS") == 401


def test_claims_that_an_envoy_has_verified_are_judged() -> None:
    for claims, status in (
        (None, 403),
        (CLAIMS, 200),
        ({**CLAIMS, "sub": "bob"}, 403),
        ({**CLAIMS, "aud": "mail"}, 401),
        ({**CLAIMS, "iss": "https://cookie.example"}, 401),
        ({}, 401),
    ):
        request = _request("/verified", "/mine")
        request.attributes.request.http.headers["authorization"] = "Bearer x"  # what Envoy has not verified
        if claims is not None:
            fields = request.attributes.metadata_context.filter_metadata[PAYLOADS].fields["payload"].struct_value.fields
            fields.get_or_create("none").null_value = 0
            for name, value in claims.items():
                if isinstance(value, str):
                    fields[name].string_value = value
                else:
                    fields[name].number_value = value
        assert _over_grpc(request) == status, claims


def test_what_an_envoy_verifies_is_told_over_grpc_alone() -> None:
    assert _over_http("/verified/open") == 403


@pytest.mark.parametrize(
    ("destination", "message"),
    [
        (Destination("/a", "bare", 8080), "tokens of `taken` are taken off by the policy"),
        (Destination("/a", "baked", 8080), "reads the header `cookie`, which is not among its `headers`"),
    ],
)
def test_tokens_that_cannot_be_kept_are_refused_at_the_start(destination: Destination, message: str) -> None:
    with pytest.raises(DestinationError, match=message):
        _authorizer(destination, names=("bare", "baked"))
    assert _authorizer(Destination("/a", "baked", 8080, ("cookie",)), names=("baked",)).policy == "digest"
