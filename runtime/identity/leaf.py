"""The X.509-SVID standard, certificate by certificate (SPIFFE, X509-SVID.md sections 2 to 5).

What a chain of certificates proves is said in `paths`; here each one is judged alone.
"""

from __future__ import annotations

import re
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CertificateError
from meshproof.runtime.identity.keys import check_public
from meshproof.runtime.identity.pem import UNREADABLE

_Kind = TypeVar("_Kind", bound=x509.ExtensionType)

_DOMAIN = re.compile(r"[a-z0-9._-]{1,255}").fullmatch
_SCHEME = "spiffe://"


def is_trust_domain(name: str) -> bool:
    """Whether this is the name of a trust domain (SPIFFE-ID.md, section 2.1)."""
    return _DOMAIN(name) is not None


def leaf_identity(certificate: x509.Certificate) -> SpiffeId:
    """Whom the certificate of a workload names. Raises `CertificateError` where it is no leaf X.509-SVID."""
    extensions = _extensions(certificate)
    basic = _found(extensions, x509.BasicConstraints)
    if basic is not None and basic.value.ca:
        raise CertificateError("it is one of an authority, and not of a workload")
    _check_usage(extensions)
    purposes = _found(extensions, x509.ExtendedKeyUsage)
    if purposes is not None:
        for needed in (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH):
            if needed not in purposes.value:
                raise CertificateError("its extended key usage does not name both servers and clients")
    check_public(_key(certificate))
    uris = _uris(extensions)
    if len(uris) != 1:
        raise CertificateError(f"it has {len(uris) or 'no'} URI{'s' if uris else ''}, and exactly one is taken")
    identity = SpiffeId.parse(uris[0])
    if identity is None:
        raise CertificateError("its URI is no SPIFFE ID of a workload")
    return identity


def check_authority(certificate: x509.Certificate, trust_domain: str) -> None:
    """That the certificate may sign X.509-SVIDs of the trust domain. Raises `CertificateError`.

    An authority need not be named by a SPIFFE ID; one that is, is named by its trust domain and no path.
    """
    extensions = _extensions(certificate)
    basic = _found(extensions, x509.BasicConstraints)
    if basic is None or not basic.value.ca:
        raise CertificateError("an authority is not marked as one")
    usage = _found(extensions, x509.KeyUsage)
    if usage is not None and not usage.value.key_cert_sign:
        raise CertificateError("the key usage of an authority is not to sign certificates")
    check_public(_key(certificate))
    for uri in _uris(extensions):
        if uri.lower().startswith(_SCHEME) and uri != _SCHEME + trust_domain:
            raise CertificateError(f"an authority is not one of the trust domain `{trust_domain}`")


def authority_domain(certificate: x509.Certificate) -> str | None:
    """The trust domain that the certificate of an authority names, if it names one."""
    uris = _uris(_extensions(certificate))
    if len(uris) == 1 and uris[0].startswith(_SCHEME) and is_trust_domain(uris[0].removeprefix(_SCHEME)):
        return uris[0].removeprefix(_SCHEME)
    return None


def uris(certificate: x509.Certificate) -> tuple[str, ...]:
    """All URIs in it. Raises `CertificateError` where its extensions cannot be read."""
    return tuple(_uris(_extensions(certificate)))


def host_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names of hosts in it, which say nothing about who a workload is."""
    names = _found(_extensions(certificate), x509.SubjectAlternativeName)
    return () if names is None else tuple(names.value.get_values_for_type(x509.DNSName))


def _check_usage(extensions: x509.Extensions) -> None:
    usage = _found(extensions, x509.KeyUsage)
    if usage is None:
        raise CertificateError("it has no key usage")
    if not usage.critical:
        raise CertificateError("its key usage is not critical")
    if not usage.value.digital_signature:
        raise CertificateError("its key usage is not digital signatures")
    if usage.value.key_cert_sign or usage.value.crl_sign:
        raise CertificateError("its key usage is that of an authority")


def _key(certificate: x509.Certificate) -> object:
    try:
        return certificate.public_key()
    except UNREADABLE:
        raise CertificateError("its key cannot be read") from None


def _extensions(certificate: x509.Certificate) -> x509.Extensions:
    try:
        extensions = certificate.extensions
        if certificate.version is not x509.Version.v3:
            raise CertificateError("it is not of version 3")
    except UNREADABLE:
        raise CertificateError("its extensions cannot be read") from None
    return extensions


def _uris(extensions: x509.Extensions) -> list[str]:
    names = _found(extensions, x509.SubjectAlternativeName)
    return [] if names is None else names.value.get_values_for_type(x509.UniformResourceIdentifier)


def _found(extensions: x509.Extensions, kind: type[_Kind]) -> x509.Extension[_Kind] | None:
    try:
        return extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
