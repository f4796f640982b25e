from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from tests.strategies.minting import jwk, jwks, private_key, segment, signed

from meshproof.runtime.tokens.keys import ALGORITHMS, KeysError, key_set

RSA_ALGORITHMS = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}


def _algorithms(*keys: dict[str, Any]) -> list[set[str]]:
    return [set(key.by_algorithm) for key in key_set(jwks(*keys)).keys]


def test_a_key_verifies_what_its_type_and_curve_say() -> None:
    kinds = ("RS256", "ES256", "ES384", "ES512", "EdDSA")
    assert _algorithms(*map(jwk, kinds)) == [RSA_ALGORITHMS, {"ES256"}, {"ES384"}, {"ES512"}, {"EdDSA"}]
    assert not any(name.startswith("HS") or name.lower() == "none" for name in ALGORITHMS)


def test_a_key_that_names_its_algorithm_verifies_no_other() -> None:
    assert _algorithms(jwk("RS256", alg="PS256")) == [{"PS256"}]
    keys = key_set(jwks(jwk("RS256", alg="PS256")))
    assert keys.fitting("RS256-0", "PS256") == keys.keys
    assert keys.fitting("RS256-0", "RS256") == ()


def _small() -> dict[str, Any]:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505  what is refused
    told: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(weak.public_key()))
    return told


def _private() -> dict[str, Any]:
    key = private_key("RSA")
    assert isinstance(key, rsa.RSAPrivateKey)
    return {**json.loads(RSAAlgorithm.to_jwk(key)), "key_ops": ["verify"]}


SKIPPED: list[object] = [
    {"kty": "oct", "k": segment(b"x" * 64).decode(), "alg": "HS256"},
    {"kty": "oct", "k": segment(b"x" * 64).decode(), "alg": "RS256"},
    {**jwk("RS256"), "k": "AA"},
    _private(),
    _small(),
    jwk("RS256", e="AQ"),
    jwk("RS256", e="Ag"),
    jwk("RS256", e=segment(b"\x01" + b"\0" * 7 + b"\x01").decode()),
    jwk("RS256", n=segment(b"\xff" * 2048).decode()),
    jwk("RS256", n="!!"),
    jwk("RS256", n=5),
    jwk("RS256", n=None),
    jwk("RS256", use="enc"),
    jwk("RS256", key_ops=["sign"]),
    jwk("RS256", key_ops="verify"),
    jwk("RS256", alg="HS256"),
    jwk("RS256", alg="ES256"),
    jwk("RS256", alg="RSA-OAEP"),
    {**jwk("RS256"), "alg": None},
    jwk("RS256", kid=5),
    jwk("ES256", crv="P-384"),
    jwk("ES256", crv="secp256k1"),
    jwk("ES256", crv=None),
    jwk("ES256", alg="ES384"),
    jwk("ES256", y=jwk("ES256")["x"]),
    jwk("EdDSA", crv="Ed448"),
    jwk("EdDSA", crv="X25519"),
    jwk("EdDSA", x="AA"),
    {"kty": "AKP"},
    {},
    5,
    None,
    "x",
]


@pytest.mark.parametrize("index", range(len(SKIPPED)))
def test_what_is_no_key_for_signatures_is_skipped(index: int) -> None:
    found = key_set(json.dumps({"keys": [SKIPPED[index], jwk("ES384")], "more": 1}).encode())
    assert [key.kid for key in found.keys] == ["ES384-0"]
    assert found.skipped == 1
    with pytest.raises(KeysError, match="no public key of RSA"):
        key_set(json.dumps({"keys": [SKIPPED[index]]}).encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "this is no JSON"),
        (b"\xff", "not UTF-8"),
        (b"[]", "no object with a list of `keys`"),
        (b'{"keys":{}}', "no object with a list of `keys`"),
        (b'{"keys":[],"keys":[]}', "stands twice"),
        (b'{"keys":[]}', "no public key"),
        (b'{"keys":' + b"[" * 100_000, "nested too deeply"),
        (b" " * 1_048_577, "more than 1048576 bytes"),
        (b'{"keys":[' + b"{}," * 200 + b"{}]}", "more than 128 keys"),
    ],
)
def test_what_is_no_set_of_keys_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(KeysError, match=message):
        key_set(data)


def test_a_token_is_tried_with_the_keys_of_its_name_and_of_none() -> None:
    first, second, nameless = jwk("ES256"), jwk("ES256", 1), jwk("ES256", 2, kid=None)
    keys = key_set(jwks(first, second, nameless))
    assert keys.fitting("ES256-1", "ES256") == keys.keys[1:]
    assert keys.fitting(None, "ES256") == keys.keys
    assert keys.fitting("other", "ES256") == keys.keys[2:]
    assert (keys.knows("ES256-1"), keys.knows("other")) == (True, False)
    twice = key_set(jwks(first, jwk("ES256", 1, kid="ES256-0")))
    text = signed({}, "ES256", 1)
    assert [key.has_signed(text, "ES256") for key in twice.fitting("ES256-0", "ES256")] == [False, True]


def test_no_token_is_tried_with_many_keys() -> None:
    keys = key_set(jwks(*(jwk("ES256", number, kid=None) for number in range(9))))
    assert keys.fitting(None, "ES256") == ()
    assert len(key_set(jwks(*(jwk("ES256", number, kid=None) for number in range(8)))).fitting(None, "ES256")) == 8


def test_keys_are_the_same_where_they_are_published_the_same() -> None:
    first = key_set(jwks(jwk("ES256"), jwk()))
    assert first.keys == key_set(jwks(jwk("ES256", x5t="a"), jwk())).keys
    for other in (jwk("ES256", 1), jwk("ES256", alg="ES256"), jwk("ES256", kid="b")):
        assert first.keys != key_set(jwks(other, jwk())).keys
