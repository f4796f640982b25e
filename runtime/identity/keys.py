"""Which keys are strong enough, and whether two belong together."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from meshproof.runtime.identity.errors import CertificateError, CredentialsError

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey

RSA_BITS = (2048, 8192)
"""Shorter ones are weak; longer ones let a peer make us work."""

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def check_public(key: object) -> None:
    """A key of ECDSA (P-256, P-384, P-521), RSA (2048 to 8192 bits) or Ed25519. Raises `CertificateError`."""
    match key:
        case ec.EllipticCurvePublicKey(curve=curve) if isinstance(curve, _CURVES):
            return
        case ec.EllipticCurvePublicKey(curve=curve):
            raise CertificateError(f"its key is on the curve `{curve.name}`, which is not taken")
        case rsa.RSAPublicKey(key_size=bits) if RSA_BITS[0] <= bits <= RSA_BITS[1]:
            return
        case rsa.RSAPublicKey(key_size=bits):
            raise CertificateError(f"its RSA key has {bits} bits, and {RSA_BITS[0]} to {RSA_BITS[1]} are taken")
        case ed25519.Ed25519PublicKey():
            return
        case _:
            raise CertificateError("its key is not one of ECDSA, RSA or Ed25519")


def key_name(key: object) -> str:
    """What kind of key it is, for people."""
    match key:
        case ec.EllipticCurvePublicKey(curve=curve):
            return f"ECDSA {curve.name}"
        case rsa.RSAPublicKey(key_size=bits):
            return f"RSA {bits}"
        case ed25519.Ed25519PublicKey():
            return "Ed25519"
        case _:
            return "another kind"


def private_key(key: object) -> PrivateKey:
    """The key, if it is of a kind that certificates may have. Raises `CredentialsError`."""
    if isinstance(key, (ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey, ed25519.Ed25519PrivateKey)):
        return key
    raise CredentialsError("the private key is not one of ECDSA, RSA or Ed25519")


def public_bytes(key: object) -> bytes:
    """The public key as it stands in certificates, to compare it."""
    assert isinstance(key, (ec.EllipticCurvePublicKey, rsa.RSAPublicKey, ed25519.Ed25519PublicKey))
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: PrivateKey) -> bytes:
    """The key in PEM, PKCS 8, not encrypted: what OpenSSL takes without asking anybody."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
