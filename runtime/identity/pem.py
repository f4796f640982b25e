"""PEM files of certificates and keys, read with bounds: all of a file is understood, or none of it."""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.utils import CryptographyDeprecationWarning

from meshproof.runtime.identity.errors import CertificateError, CredentialsError
from meshproof.runtime.identity.keys import PrivateKey, private_key

MOST_BYTES = 1_048_576
"""The largest file that is read."""

MOST_CERTIFICATES = 256

UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,  # where warnings are errors
)
"""What certificates raise that are no good DER, when they are loaded or when a part of them is asked for."""

_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,64})-----")
_CERTIFICATE = b"CERTIFICATE"
_KEYS = frozenset({b"PRIVATE KEY", b"EC PRIVATE KEY", b"RSA PRIVATE KEY"})
_PARAMETERS = b"EC PARAMETERS"


def certificates(text: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a file, at least one. What stands between blocks is skipped, other blocks are refused."""
    kinds = _BEGIN.findall(text)
    if not kinds:
        raise CertificateError("it holds no certificate in PEM")
    if len(kinds) > MOST_CERTIFICATES:
        raise CertificateError(f"it holds more than {MOST_CERTIFICATES} certificates")
    for kind in kinds:
        if kind != _CERTIFICATE:
            raise CertificateError(f"it holds a block `{kind.decode()}`, and certificates alone are expected")
    try:
        found = tuple(x509.load_pem_x509_certificates(text))
    except UNREADABLE:
        raise CertificateError("it holds a certificate that cannot be read") from None
    if len(found) != len(kinds):
        raise CertificateError("it holds a certificate that cannot be read")
    for one in found:
        _check_serial(one)
    return found


def certificates_der(data: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a chain in DER, one after the other, at least one."""
    found: list[x509.Certificate] = []
    start = 0
    while start < len(data):
        if len(found) == MOST_CERTIFICATES:
            raise CertificateError(f"it holds more than {MOST_CERTIFICATES} certificates")
        end = start + _length(data[start : start + 6])
        found.append(certificate_der(data[start:end]))
        start = end
    if not found:
        raise CertificateError("it holds no certificate")
    return tuple(found)


def certificate_der(data: bytes) -> x509.Certificate:
    """One certificate, and nothing after it."""
    try:
        found = x509.load_der_x509_certificate(data)
    except UNREADABLE:
        raise CertificateError("it holds a certificate that cannot be read") from None
    _check_serial(found)
    return found


def key(text: bytes) -> PrivateKey:
    """The one private key of a file: PKCS 8, or as OpenSSL wrote keys before; never with a password."""
    kinds = [kind for kind in _BEGIN.findall(text) if kind != _PARAMETERS]
    if len(kinds) != 1 or kinds[0] not in _KEYS:
        what = "an encrypted key" if b"ENCRYPTED PRIVATE KEY" in kinds else "not exactly one private key in PEM"
        raise CredentialsError(f"it holds {what}")
    try:
        return private_key(serialization.load_pem_private_key(text[text.index(b"-----BEGIN " + kinds[0]) :], None))
    except TypeError:
        raise CredentialsError("it holds an encrypted key") from None
    except (ValueError, UnsupportedAlgorithm):
        raise CredentialsError("it holds a private key that cannot be read") from None


def key_der(data: bytes) -> PrivateKey:
    """One private key, PKCS 8 in DER."""
    try:
        return private_key(serialization.load_der_private_key(data, None))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CredentialsError("it holds a private key that cannot be read") from None


def _check_serial(certificate: x509.Certificate) -> None:
    """RFC 5280, 4.1.2.2; the next releases of `cryptography` do not load others at all."""
    if certificate.serial_number <= 0:
        raise CertificateError("it holds a certificate whose serial number is not positive")


def _length(head: bytes) -> int:
    """How long the sequence is that begins so, with its head (X.690, 8.1.3)."""
    long_form = 0x80
    if len(head) < 2 or head[0] != 0x30:  # noqa: PLR2004
        raise CertificateError("it holds a certificate that cannot be read")
    if head[1] < long_form:
        return 2 + head[1]
    size = head[1] - long_form
    if not 1 <= size <= 3 or len(head) < 2 + size:  # noqa: PLR2004
        raise CertificateError("it holds a certificate that cannot be read")
    return 2 + size + int.from_bytes(head[2 : 2 + size], "big")
