"""TLS as this project speaks it: 1.2 and newer, both sides authenticated, no compression, no renegotiation.

Server and client contexts verify chains to all authorities of all trust domains; that a chain belongs to the trust
domain of its leaf is asked after the handshake (`peers`), because OpenSSL has one heap of authorities.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.patient import PatientContext
from meshproof.runtime.identity.svid import Credentials

# Key agreement with forward secrecy and authenticated encryption; of TLS 1.3 all that OpenSSL has by default.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:@SECLEVEL=2"


def server_context(own: Credentials, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """For callers: a certificate of theirs is required."""
    context = _context(ssl.PROTOCOL_TLS_SERVER, alpn)
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    context.num_tickets = 0  # docs/adr/0240: making them costs more than a resumed handshake saves
    _show(context, own)
    _trust(context, own)
    return context


def client_context(own: Credentials, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """For servers of the mesh: they are told by their SPIFFE ID, after the handshake, and by no host name."""
    context = _context(ssl.PROTOCOL_TLS_CLIENT, alpn)
    context.check_hostname = False
    _show(context, own)
    _trust(context, own)
    return context


def external_context(authorities: Path | None = None, alpn: Sequence[str] = ()) -> ssl.SSLContext:
    """For servers outside of the mesh: told by their host name (pass it as `server_hostname`), under these authorities.

    Without a file: those of the system. No certificate of ours is shown. Raises `CredentialsError`.
    """
    context = _context(ssl.PROTOCOL_TLS_CLIENT, alpn)
    try:
        if authorities is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            context.load_verify_locations(authorities)
    except OSError as error:
        raise CredentialsError(f"`{authorities}` holds no authorities: {error.strerror or error}") from None
    return context


def _context(protocol: int, alpn: Sequence[str]) -> ssl.SSLContext:
    context = PatientContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    # Some 3.11s set it: then a connection that is cut off looks as if its peer had ended it.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_ciphers(_CIPHERS)
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _trust(context: ssl.SSLContext, own: Credentials) -> None:
    """Every authority is an end of chains, signed by itself or not (X509-SVID.md leaves that open)."""
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=own.bundles.every_authority())


def _show(context: ssl.SSLContext, own: Credentials) -> None:
    try:
        with content_as_file(own.shown + own.key) as path:
            context.load_cert_chain(path, password=_no_password)
    except OSError as error:
        raise CredentialsError(f"the own certificate and key are refused: {error.strerror or error}") from None


@contextmanager
def content_as_file(content: bytes) -> Iterator[str]:
    """A file for OpenSSL, which takes certificates from files alone: what was checked is what is loaded."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("svid", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            yield f"/proc/self/fd/{descriptor}"
        finally:
            os.close(descriptor)
    else:
        with tempfile.NamedTemporaryFile() as file:  # 0600
            file.write(content)
            file.flush()
            yield file.name


def _no_password() -> str:
    """A key with a password would make the process wait for somebody who types it."""
    return ""
