"""A table of what is tried against verifiers of tokens, and of what they take."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from tests.strategies.minting import NOW, jwk, jwks, private_key, segment, signed, signed_bytes, signed_parts
from tests.strategies.token_bench import CLAIMS, URL, Bench, issuer

from meshproof.compiler.ir.entities import TokenPlace
from meshproof.compiler.ir.names import IssuerName
from meshproof.compiler.ir.request import ClaimObject
from meshproof.runtime.tokens.keys import key_set
from meshproof.runtime.tokens.outcomes import Bad, Fault, Good
from meshproof.runtime.tokens.verifier import TokenLimits


@pytest.fixture
def bench() -> Bench:
    return Bench()


PAYLOAD = json.dumps(CLAIMS).encode()


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
)
def test_every_algorithm_that_is_taken_is_taken_and_holds_each_bit(algorithm: str) -> None:
    bench = Bench(published=jwks(jwk(algorithm)))
    text = signed(CLAIMS, algorithm)
    assert bench.fault(text) == "good"
    head, payload, signature = text.split(b".")
    other = signed({**CLAIMS, "sub": "eve"}, algorithm).split(b".")[1]
    for forged in (
        b".".join((head, other, signature)),
        b".".join((head, payload, signature[:-8] + b"AAAAAAAA")),
        b".".join((head, payload, segment(b"\0" * 64))),
        signed(CLAIMS, algorithm, 1, kid=f"{algorithm}-0"),
    ):
        assert bench.fault(forged) == "signature"


def test_claims_are_those_of_the_token(bench: Bench) -> None:
    text = signed({**CLAIMS, "groups": ["a", 1], "deep": {"b": None}, "exp": NOW + 60})
    found = bench.bearer(text)
    assert isinstance(found, Good)
    assert found.token.is_valid
    assert found.issuer.name == "idp"
    assert found.ends_at == NOW + 120
    assert dict(found.token.claims.members) == {
        "aud": "shop",
        "deep": ClaimObject((("b", None),)),
        "exp": NOW + 60,
        "groups": ("a", 1),
        "iss": URL,
        "sub": "ann",
    }
    assert bench.verifier.token((), b"/") is None
    bad = bench.verifier.token(((b"authorization", b"Bearer x"),), b"/")
    assert bad is not None
    assert (bad.is_valid, bad.claims) == (False, ClaimObject(()))


def _public_pem() -> bytes:
    pem: bytes = (
        private_key("RSA")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return pem


def _by_hmac(secret: bytes, **header: object) -> bytes:
    message = segment(json.dumps({"alg": "HS256", **header}).encode()) + b"." + segment(PAYLOAD)
    return message + b"." + segment(hmac.new(secret, message, hashlib.sha256).digest())


def _parts(header: dict[str, Any], signature: bytes = b"x") -> bytes:
    return segment(json.dumps(header).encode()) + b"." + segment(PAYLOAD) + b"." + segment(signature)


_OWN_KEY = jwk("ES256", 7)
ATTACKS: list[tuple[str, Callable[[], bytes], str]] = [
    ("no signature", lambda: _parts({"alg": "none"}), "algorithm"),
    ("no signature, nothing there", lambda: _parts({"alg": "none"})[:-2], "form"),
    ("none in other cases", lambda: _parts({"alg": "nOnE"}), "algorithm"),
    ("no algorithm", lambda: _parts({}), "algorithm"),
    ("an algorithm that is a list", lambda: _parts({"alg": ["RS256"]}), "algorithm"),
    ("HMAC by the public key", lambda: _by_hmac(_public_pem()), "algorithm"),
    ("HMAC by the modulus", lambda: _by_hmac(jwk()["n"].encode(), kid="RS256-0"), "algorithm"),
    ("HMAC by nothing", lambda: _by_hmac(b""), "algorithm"),
    ("RSA key, called one of a curve", lambda: signed_parts(b'{"alg":"ES256","kid":"RS256-0"}', PAYLOAD), "key"),
    ("a curve's key, called RSA", lambda: signed(CLAIMS, "ES256", alg="RS256"), "key"),
    ("ES256 by P-384", lambda: signed(CLAIMS, "ES384", alg="ES256", kid="ES256-0"), "signature"),
    ("another algorithm than it was signed by", lambda: signed(CLAIMS, "RS256", alg="RS512"), "signature"),
    ("an algorithm that is not taken", lambda: signed(CLAIMS, "ES256", alg="ES256K"), "algorithm"),
    ("own key in the header", lambda: signed(CLAIMS, "ES256", 7, jwk=_OWN_KEY, kid=None), "signature"),
    ("own key at a URL", lambda: signed(CLAIMS, "ES256", 7, jku="https://evil/k", x5u="https://evil/k"), "key"),
    ("own chain in the header", lambda: signed(CLAIMS, "ES256", 7, x5c=["AA=="], kid="ES256-0"), "signature"),
    ("kid that is a path", lambda: signed(CLAIMS, kid="../../../dev/null"), "key"),
    ("kid that is SQL", lambda: signed(CLAIMS, kid="x' UNION SELECT 'k"), "key"),
    ("kid that is a number", lambda: signed(CLAIMS, kid=0), "form"),
    ("kid that is a list", lambda: signed(CLAIMS, kid=["RS256-0"]), "form"),
    ("kid that is empty", lambda: signed(CLAIMS, kid=""), "form"),
    ("kid that is long", lambda: signed(CLAIMS, kid="k" * 257), "form"),
    ("kid of another case", lambda: signed(CLAIMS, kid="rs256-0"), "key"),
    ("crit", lambda: signed(CLAIMS, crit=["exp"]), "form"),
    ("crit that is empty", lambda: signed(CLAIMS, crit=[]), "form"),
    ("b64", lambda: signed(CLAIMS, b64=False, crit=["b64"]), "form"),
    ("b64 that is true", lambda: signed(CLAIMS, b64=True), "form"),
    ("zip", lambda: signed(CLAIMS, zip="DEF"), "form"),
    ("an encrypted one", lambda: _parts({"alg": "RSA-OAEP", "enc": "A128GCM"}) + b".x.x", "form"),
    ("a nested one", lambda: signed(CLAIMS, cty="JWT"), "form"),
    ("of another kind", lambda: signed(CLAIMS, typ="logout+jwt"), "form"),
    ("kind that is a number", lambda: signed(CLAIMS, typ=1), "form"),
    ("header twice alg", lambda: signed_parts(b'{"alg":"none","alg":"RS256"}', PAYLOAD), "form"),
    ("header that is a list", lambda: signed_parts(b"[]", PAYLOAD), "form"),
    ("header that is no JSON", lambda: signed_parts(b"{", PAYLOAD), "form"),
    ("claims twice", lambda: signed_bytes(PAYLOAD[:-1] + b',"sub":"eve"}'), "form"),
    ("claims twice, deep", lambda: signed_bytes(PAYLOAD[:-1] + b',"a":{"b":1,"b":2}}'), "form"),
    ("claims that are a list", lambda: signed_bytes(b"[1]"), "form"),
    ("claims that are text", lambda: signed_bytes(b'"x"'), "form"),
    ("claims that are not UTF-8", lambda: signed_bytes(b'{"iss":"\xff"}'), "form"),
    ("claims with half a pair", lambda: signed_bytes(PAYLOAD[:-1] + b',"a":"\\ud800"}'), "form"),
    ("claims with NaN", lambda: signed_bytes(PAYLOAD[:-1] + b',"a":NaN}'), "form"),
    ("claims with infinity", lambda: signed_bytes(PAYLOAD[:-1] + b',"a":1e999}'), "form"),
    ("claims with a huge number", lambda: signed_bytes(PAYLOAD[:-1] + b',"a":' + b"9" * 5000 + b"}"), "form"),
    ("claims that are deep", lambda: signed_bytes(PAYLOAD[:-1] + b',"a":' + b"[" * 4000 + b"]" * 4000 + b"}"), "form"),
    ("a byte order mark", lambda: signed_bytes(b"\xef\xbb\xbf" + PAYLOAD), "form"),
    ("two parts", lambda: signed(CLAIMS).rpartition(b".")[0], "form"),
    ("four parts", lambda: signed(CLAIMS) + b".x", "form"),
    ("padding", lambda: signed(CLAIMS) + b"=", "form"),
    ("a blank within", lambda: signed(CLAIMS).replace(b".", b" .", 1), "form"),
    ("a comma within", lambda: signed(CLAIMS) + b"," + signed(CLAIMS), "form"),
    ("the other alphabet", lambda: signed(CLAIMS).replace(b".", b"+/.", 1), "form"),
    ("bytes that are no text", lambda: signed(CLAIMS) + b"\xff", "form"),
    ("nothing", lambda: b"", "form"),
    ("too large", lambda: signed({**CLAIMS, "a": "b" * 20_000}), "size"),
    ("of nobody", lambda: signed({**CLAIMS, "iss": None}), "issuer"),
    ("of somebody else", lambda: signed({**CLAIMS, "iss": "https://evil"}), "issuer"),
    ("of several", lambda: signed({**CLAIMS, "iss": [URL]}), "issuer"),
    ("of the same with a slash", lambda: signed({**CLAIMS, "iss": f"{URL}/"}), "issuer"),
    ("of the same in another case", lambda: signed({**CLAIMS, "iss": URL.upper()}), "issuer"),
    ("for nobody", lambda: signed({name: value for name, value in CLAIMS.items() if name != "aud"}), "audience"),
    ("for an empty list", lambda: signed({**CLAIMS, "aud": []}), "audience"),
    ("for null", lambda: signed({**CLAIMS, "aud": None}), "audience"),
    ("for a number", lambda: signed({**CLAIMS, "aud": 5}), "audience"),
    ("for others", lambda: signed({**CLAIMS, "aud": ["mail", "shops", "Shop"]}), "audience"),
    ("for others and a number", lambda: signed({**CLAIMS, "aud": ["shop", 1]}), "audience"),
    ("no end", lambda: signed({name: value for name, value in CLAIMS.items() if name != "exp"}), "time"),
    ("end that is null", lambda: signed({**CLAIMS, "exp": None}), "time"),
    ("end that is text", lambda: signed({**CLAIMS, "exp": str(NOW + 600)}), "time"),
    ("end that is true", lambda: signed({**CLAIMS, "exp": True}), "time"),
    ("end that is huge", lambda: signed({**CLAIMS, "exp": 10**40}), "time"),
    ("end that is negative", lambda: signed({**CLAIMS, "exp": -1}), "time"),
    ("over", lambda: signed({**CLAIMS, "exp": NOW - 60}), "time"),
    ("not yet", lambda: signed({**CLAIMS, "nbf": NOW + 61}), "time"),
    ("begin that is text", lambda: signed({**CLAIMS, "nbf": "0"}), "time"),
    ("issued at some text", lambda: signed({**CLAIMS, "iat": "now"}), "time"),
]


@pytest.mark.parametrize(
    ("text", "fault"), [(text, fault) for _, text, fault in ATTACKS], ids=[a for a, _, _ in ATTACKS]
)
def test_what_is_tried_is_refused_for_what_it_is(bench: Bench, text: Callable[[], bytes], fault: str) -> None:
    sent = text()
    assert [bench.fault(sent) for _ in range(2)] == [fault, fault]


@pytest.mark.parametrize(
    "text",
    [
        lambda: signed(CLAIMS, typ="JWT"),
        lambda: signed(CLAIMS, typ="at+JWT"),
        lambda: signed(CLAIMS, typ="application/at+jwt"),
        lambda: signed(CLAIMS, kid=None),
        lambda: signed({**CLAIMS, "aud": ["mail", "shop"]}),
        lambda: signed({**CLAIMS, "exp": NOW - 59.5}),
        lambda: signed({**CLAIMS, "nbf": NOW + 60, "iat": NOW + 1e6}),
        lambda: signed({**CLAIMS, "exp": 2**53 - 1}),
        lambda: signed_bytes(PAYLOAD[:-1] + b',"name":"\\ud83d\\ude00 \xc3\xa9\\u0000"}'),
        lambda: signed(CLAIMS, jku="https://evil/keys", x5u="https://evil/keys", jwk=_OWN_KEY),
    ],
)
def test_what_is_odd_and_signed_is_taken(bench: Bench, text: Callable[[], bytes]) -> None:
    assert bench.fault(text()) == "good"


def test_an_issuer_without_audiences_takes_tokens_for_anybody() -> None:
    bench = Bench(issuers=(issuer("idp"),))
    for audience, fault in (("mail", "good"), (["a"], "good"), ([], "audience"), (1, "audience")):
        assert bench.fault(signed({**CLAIMS, "aud": audience})) == fault
    assert bench.fault(signed({"iss": URL, "exp": NOW + 1})) == "good"


def test_each_issuer_signs_for_itself_and_at_its_place() -> None:
    bench = Bench(issuers=(issuer("idp"), issuer("other"), issuer("third", TokenPlace("header", "x-token"))))
    bench.rings[IssuerName("other")].put(key_set(jwks(jwk("ES256", 1))), bench.ticks + 1)
    claims = {"exp": NOW + 1}
    assert bench.fault(signed({**claims, "iss": "https://idp"})) == "good"
    assert bench.fault(signed({**claims, "iss": "https://other"}, "ES256", 1)) == "good"
    assert bench.fault(signed({**claims, "iss": "https://other"}, "ES256", 0)) == "key"
    assert bench.fault(signed({**claims, "iss": "https://third"})) == "issuer"
    third = signed({**claims, "iss": "https://third"})
    assert isinstance(bench.verifier.verify(((b"X-Token", third),), b"/"), Good)
    assert bench.verifier.verify(((b"X-Token", third), (b"Authorization", b"Bearer x")), b"/") == Bad(Fault.SEVERAL)
    assert bench.verifier.verify(((b"X-Token", third), (b"x-token", third)), b"/") == Bad(Fault.SEVERAL)
    assert isinstance(bench.verifier.verify(((b"X-Token", third), (b"Authorization", b"Basic x")), b"/"), Good)


def test_a_key_that_is_not_there_yet_is_asked_for(bench: Bench) -> None:
    new = signed(CLAIMS, "RS256", 1)
    assert [bench.fault(new) for _ in range(50)] == ["key"] * 50
    assert bench.wanted == 1
    bench.ticks += 1
    assert (bench.fault(signed(CLAIMS, "RS256", 1, kid="RS256-0")), bench.wanted) == ("signature", 1)
    assert (bench.fault(signed(CLAIMS, "RS256", 1, kid=None)), bench.wanted) == ("signature", 2)
    bench.rings[IssuerName("idp")].put(key_set(jwks(jwk("RS256", 1))), bench.ticks + 1)
    assert bench.fault(new) == "good"


def test_keys_that_are_too_old_are_none(bench: Bench) -> None:
    text = signed(CLAIMS)
    assert bench.fault(text) == "good"
    bench.ticks += 3600
    assert (bench.fault(text), bench.wanted) == ("no-keys", 1)
    bench.rings[IssuerName("idp")].put(key_set(bench.published), bench.ticks + 1)
    assert bench.fault(text) == "good"


def test_a_key_that_is_withdrawn_takes_its_tokens_along(bench: Bench) -> None:
    text = signed(CLAIMS)
    assert bench.fault(text) == "good"
    bench.rings[IssuerName("idp")].put(key_set(jwks(jwk("ES256"))), bench.ticks + 1)
    assert bench.fault(text) == "key"


def test_a_token_that_is_known_ends_all_the_same(bench: Bench) -> None:
    text = signed({**CLAIMS, "nbf": NOW, "exp": NOW + 10})
    for moment, fault in ((NOW, "good"), (NOW + 69, "good"), (NOW + 70, "time"), (NOW, "good"), (NOW - 61, "time")):
        bench.now = moment
        assert bench.fault(text) == fault, moment


def test_a_signature_is_verified_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    text = signed(CLAIMS)
    assert bench.fault(text) == "good"
    monkeypatch.setattr("meshproof.runtime.tokens.keys.Key.has_signed", lambda *_: False)
    assert bench.fault(text) == "good"
    assert bench.fault(signed({**CLAIMS, "sub": "bob"})) == "signature"


def test_what_is_remembered_is_bounded_and_good_alone() -> None:
    bench = Bench(limits=TokenLimits(cached=3))
    for number in range(5):
        assert bench.fault(signed({**CLAIMS, "sub": str(number)}, "ES256")) == "good"
        assert bench.fault(signed({**CLAIMS, "sub": str(number)}, "ES256", 1, kid="ES256-0")) == "signature"
    assert len(bench.verifier._cache) == 3
