from __future__ import annotations

import ssl
import warnings
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from tests.unit.runtime.identity.bad_certificates import strong_keys
from tests.unit.runtime.identity.certificates import Issued, authority

from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.keys import key_name, private_pem, public_bytes
from meshproof.runtime.identity.pem import (
    MOST_CERTIFICATES,
    certificate_der,
    certificates,
    certificates_der,
    key,
    key_der,
)

KINDS = ("P-256", "P-384", "P-521", "RSA", "Ed25519")


@pytest.fixture(scope="module")
def issued() -> Issued:
    return authority().account("/ns/shop/sa/front")


def _pem(issued: Issued) -> bytes:
    return issued.certificate.public_bytes(Encoding.PEM)


def _der(issued: Issued) -> bytes:
    return issued.certificate.public_bytes(Encoding.DER)


def test_certificates_are_read_in_both_forms(issued: Issued) -> None:
    text = b"subject=somebody\n" + _pem(issued) + b"\nissuer=other\n" + _pem(issued)

    assert certificates(text) == (issued.certificate, issued.certificate)
    assert certificates_der(_der(issued) * 3) == (issued.certificate,) * 3
    assert certificate_der(_der(issued)) == issued.certificate


def test_other_blocks_and_broken_ones_are_refused(issued: Issued) -> None:
    for text, why in (
        (b"", "holds no certificate in PEM"),
        (_der(issued), "holds no certificate in PEM"),
        (_pem(issued) + private_pem(issued.key), "holds a block `PRIVATE KEY`"),
        (_pem(issued)[:-30], "cannot be read"),
        (_pem(issued) + _pem(issued).replace(b"\nMII", b"\nMIJ", 1), "cannot be read"),
        (_pem(issued) * (MOST_CERTIFICATES + 1), "more than 256 certificates"),
    ):
        with pytest.raises(CertificateError, match=why):
            certificates(text)


def test_a_chain_in_der_is_read_to_its_end(issued: Issued) -> None:
    der = _der(issued)
    for data, why in (
        (b"", "holds no certificate"),
        (der[:-1], "cannot be read"),
        (der + b"\0", "cannot be read"),
        (der + b"\x30\x80", "cannot be read"),
        (der + b"\x30\x84\xff\xff\xff\xff", "cannot be read"),
        (b"\x30\x02\x05\x00", "cannot be read"),
        (der * (MOST_CERTIFICATES + 1), "more than 256 certificates"),
    ):
        with pytest.raises(CertificateError, match=why):
            certificates_der(data)


def _with_version(der: bytes) -> bytes:
    return der.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x01", 1)


def _with_serial_zero(der: bytes) -> bytes:
    place = der.index(b"\xa0\x03\x02\x01\x02") + 5
    return der[: place + 2] + bytes(der[place + 1]) + der[place + 2 + der[place + 1] :]


@pytest.mark.parametrize("filter_", ["error", "ignore"])
@pytest.mark.parametrize("damaged", [_with_version, _with_serial_zero])
def test_what_no_certificate_of_today_says_is_refused(
    issued: Issued, damaged: Callable[[bytes], bytes], filter_: str
) -> None:
    """A version of 2, which has no meaning since 1996, and a serial number that RFC 5280 forbids."""
    der = damaged(_der(issued))
    with warnings.catch_warnings():
        warnings.simplefilter(filter_)  # type: ignore[arg-type]
        with pytest.raises(CertificateError, match=r"cannot be read|is not positive"):
            certificate_der(der)
        with pytest.raises(CertificateError, match=r"cannot be read|is not positive"):
            certificates(ssl.DER_cert_to_PEM_cert(der).encode())


@pytest.mark.parametrize("kind", KINDS)
def test_keys_are_read_in_the_forms_that_they_are_written_in(kind: str) -> None:
    own = strong_keys()[kind]
    found = [key(private_pem(own)), key_der(own.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))]
    if kind != "Ed25519":
        old = own.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
        found += [key(old), key(parameters + old)]

    assert {public_bytes(one.public_key()) for one in found} == {public_bytes(own.public_key())}
    assert key_name(own.public_key()).startswith(("ECDSA secp", "RSA 2048", "Ed25519"))


def test_what_is_no_key_is_refused(issued: Issued) -> None:
    pem = private_pem(issued.key)
    locked = issued.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    old_locked = issued.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, BestAvailableEncryption(b"x"))
    other = dsa.generate_private_key(1024)  # noqa: S505  it is to be refused
    foreign = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for text, why in (
        (b"", "not exactly one private key in PEM"),
        (pem * 2, "not exactly one private key in PEM"),
        (_pem(issued) + pem, "not exactly one private key in PEM"),
        (locked, "an encrypted key"),
        (old_locked, "an encrypted key"),
        (foreign, "not one of ECDSA, RSA or Ed25519"),
        (pem[:-40], "cannot be read"),
    ):
        with pytest.raises(CredentialsError, match=why):
            key(text)
    for data in (b"", b"x", pem):
        with pytest.raises(CredentialsError, match="cannot be read"):
            key_der(data)
    assert key_name(other.public_key()) == "another kind"
