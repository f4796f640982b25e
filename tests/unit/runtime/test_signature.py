from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Any

import pytest
from tests.strategies.building import mesh

from meshproof.compiler.ir.bundle import Bundle, dump
from meshproof.runtime.bundle import BundleError, load_bundle
from meshproof.runtime.signature import PAYLOAD_TYPE, SignatureError, sign, verified

DATA = dump(Bundle("digest", "known", mesh()))
Pair = tuple[bytes, bytes]


def _pair(seed: int) -> Pair:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  the fast lane runs without it
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public


@pytest.mark.oracle
def test_a_signed_bundle_is_loaded_by_whoever_trusts_the_key() -> None:
    (private, public), (_, other) = _pair(1), _pair(2)
    envelope = sign(DATA, private)
    assert envelope == sign(DATA, private)
    assert verified(envelope, (public,)) == DATA
    assert load_bundle(envelope, trusted_keys=(other, public)).bundle.policy == "digest"
    with pytest.raises(BundleError, match="none of the keys"):
        load_bundle(envelope, trusted_keys=(other,))
    with pytest.raises(BundleError, match="no bundle in the format"):
        load_bundle(envelope)
    with pytest.raises(BundleError, match=r"no envelope.* `meshproof-proxy sign` makes one of a bundle"):
        load_bundle(DATA, trusted_keys=(public,))


def _with_payload(value: dict[str, Any], change: Callable[[bytes], bytes]) -> dict[str, Any]:
    return value | {"payload": b64encode(change(b64decode(value["payload"]))).decode()}


@pytest.mark.oracle
@pytest.mark.parametrize(
    "change",
    [
        lambda value: _with_payload(value, lambda data: data + b" "),
        lambda value: _with_payload(value, lambda data: data.replace(b"deny", b"allow") + b"x"),
        lambda value: value | {"payloadType": "application/json"},
        lambda value: value | {"signatures": []},
        lambda value: value | {"signatures": value["signatures"] * 17},
        lambda value: value | {"signatures": [{"sig": "AAAA"}]},
        lambda value: value | {"signatures": [{"sig": "ä"}]},
        lambda value: value | {"signatures": ["x"]},
        lambda value: value | {"payload": 1},
        lambda value: [value],
    ],
)
def test_an_envelope_that_was_changed_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    private, public = _pair(1)
    value = json.loads(sign(DATA, private))
    with pytest.raises(SignatureError):
        verified(json.dumps(change(value)).encode(), (public,))


@pytest.mark.oracle
def test_keys_that_are_none_are_told() -> None:
    private, public = _pair(1)
    with pytest.raises(SignatureError, match="no private key"):
        sign(DATA, b"x")
    with pytest.raises(SignatureError, match="trusted key 2 is no public key"):
        verified(sign(DATA, private), (public, b"x"))
    assert PAYLOAD_TYPE.encode() in sign(DATA, private)
    assert public.startswith(b"-----BEGIN PUBLIC KEY-----")
