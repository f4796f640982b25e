"""Tokens as issuers sign them, and as nobody should: each part is made by hand where a library would refuse."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

NOW = 1_795_000_000.0
"""A day in November 2026, as a clock would tell it that tests pass on."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

CURVES: Mapping[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@cache
def private_key(algorithm: str, number: int = 0) -> PrivateKey:
    """A key that signs by the algorithm; others by other numbers."""
    del number
    if algorithm in CURVES:
        return ec.generate_private_key(CURVES[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def jwk(algorithm: str = "RS256", number: int = 0, **more: object) -> dict[str, Any]:
    """The public key as its issuer publishes it; a member that is None is left out."""
    told = json.loads(_published(private_key(_kind(algorithm), number)))
    members = {**told, "use": "sig", "key_ops": None, "kid": f"{algorithm}-{number}", **more}
    return {name: value for name, value in members.items() if value is not None}


def jwks(*keys: Mapping[str, Any]) -> bytes:
    """A set of keys."""
    return json.dumps({"keys": list(keys)}).encode()


def signed(claims: Mapping[str, Any], algorithm: str = "RS256", number: int = 0, **header: object) -> bytes:
    """A token with these claims and nothing added to them; a header parameter that is None is left out."""
    return signed_bytes(json.dumps(claims).encode(), algorithm, number, **header)


def signed_bytes(payload: bytes, algorithm: str = "RS256", number: int = 0, **header: object) -> bytes:
    """A token with this text as its claims."""
    told = {"alg": algorithm, "kid": f"{algorithm}-{number}", **header}
    text = json.dumps({name: value for name, value in told.items() if value is not None}).encode()
    return signed_parts(text, payload, algorithm, number)


def signed_parts(header: bytes, payload: bytes, algorithm: str = "RS256", number: int = 0) -> bytes:
    """A token with these texts, signed by the algorithm whatever its header says."""
    message = segment(header) + b"." + segment(payload)
    signer = jwt.get_algorithm_by_name(algorithm)
    return message + b"." + segment(signer.sign(message, private_key(_kind(algorithm), number)))


def segment(data: bytes) -> bytes:
    """Base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=")


def _published(key: PrivateKey) -> str:
    match key:
        case rsa.RSAPrivateKey():
            return RSAAlgorithm.to_jwk(key.public_key())
        case ec.EllipticCurvePrivateKey():
            return ECAlgorithm.to_jwk(key.public_key())
        case _:
            return OKPAlgorithm.to_jwk(key.public_key())


def _kind(algorithm: str) -> str:
    """One RSA key for all algorithms of RSA: making one takes long."""
    return "RSA" if algorithm[:2] in {"RS", "PS"} else algorithm
