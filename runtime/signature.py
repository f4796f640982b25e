"""Signed bundles: Ed25519 in a DSSE envelope (https://github.com/secure-systems-lab/dsse, version 1.0.2).

`cryptography`, of the extra `runtime`, is loaded when something is signed or verified, and not before.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable

from meshproof.compiler.ir.json_text import Json, JsonError, canonical, parse

PAYLOAD_TYPE = "application/vnd.meshproof.bundle.v1+json"
_MOST_SIGNATURES = 16


class SignatureError(Exception):
    """It cannot be signed, or nobody who is trusted has signed it. The message is one lower-case sentence."""


def generate() -> tuple[bytes, bytes]:
    """A new key of Ed25519: the private one (PKCS 8) and the public one, in PEM. Raises `SignatureError`."""
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  an extra
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    except ImportError:
        raise SignatureError("keys are made by `cryptography`, of the extra `runtime`") from None
    key = Ed25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    private: bytes = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public: bytes = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private, public


def sign(payload: bytes, private_key: bytes) -> bytes:
    """The envelope of a payload. `private_key` is Ed25519 in PEM (PKCS 8, not encrypted). Same input, same bytes."""
    try:
        from cryptography.hazmat.primitives import serialization  # noqa: PLC0415  an extra
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    except ImportError:
        raise SignatureError("signing needs `cryptography`, of the extra `runtime`") from None
    try:
        key = serialization.load_pem_private_key(private_key, password=None)
    except (ValueError, TypeError):
        raise SignatureError("this is no private key in PEM") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SignatureError("the private key is not of Ed25519")
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    signature = key.sign(_authenticated(PAYLOAD_TYPE, payload))
    return canonical(
        {
            "payload": b64encode(payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": hashlib.sha256(raw).hexdigest(), "sig": b64encode(signature).decode()}],
        }
    )


def verified(envelope: bytes, public_keys: Iterable[bytes]) -> bytes:
    """The payload, if one of the keys (Ed25519 in PEM) has signed it. Raises `SignatureError`.

    What the envelope says of its keys is a hint that nobody takes: every signature is tried with every key.
    """
    payload, signatures = _opened(envelope)
    keys = [_public(key, number) for number, key in enumerate(public_keys, 1)]
    message = _authenticated(PAYLOAD_TYPE, payload)
    if any(_has_signed(key, signature, message) for key in keys for signature in signatures):
        return payload
    raise SignatureError("none of the keys that are trusted has signed it")


def _public(pem: bytes, number: int) -> object:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415  an extra
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415
    except ImportError:
        raise SignatureError("signatures are asked for, and `cryptography` of the extra `runtime` is missing") from None
    try:
        key = load_pem_public_key(pem)
    except ValueError:
        raise SignatureError(f"trusted key {number} is no public key in PEM, as `keygen` writes it") from None
    if not isinstance(key, Ed25519PublicKey):
        raise SignatureError(f"trusted key {number} is not of Ed25519")
    return key


def _has_signed(key: object, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415  an extra
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    assert isinstance(key, Ed25519PublicKey)
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _authenticated(kind: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload)


def _opened(envelope: bytes) -> tuple[bytes, list[bytes]]:
    try:
        value = parse(envelope)
    except JsonError as error:
        raise SignatureError(f"this is no envelope: {error.message}") from None
    if not isinstance(value, dict) or value.get("payloadType") != PAYLOAD_TYPE:
        raise SignatureError(f"this is no envelope of `{PAYLOAD_TYPE}`; `meshproof-proxy sign` makes one of a bundle")
    listed = value.get("signatures")
    if not isinstance(listed, list) or not 1 <= len(listed) <= _MOST_SIGNATURES:
        raise SignatureError(f"an envelope has 1 to {_MOST_SIGNATURES} signatures")
    return _bytes(value.get("payload")), [_bytes(one.get("sig") if isinstance(one, dict) else None) for one in listed]


def _bytes(value: Json) -> bytes:
    if not isinstance(value, str):
        raise SignatureError("payload and signatures are Base64")
    try:
        return b64decode(value, validate=True)
    except (Base64Error, ValueError):
        raise SignatureError("payload and signatures are Base64") from None
