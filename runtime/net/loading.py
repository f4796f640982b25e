"""What the authorizer is made of, as it is on disk: loaded whole, or refused with a reason."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.runtime.bundle import MOST_BYTES, BundleError, Loaded, load_bundle
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.destinations import DestinationError
from meshproof.runtime.extauthz.judged import Judged
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.keys import check_files
from meshproof.runtime.revisions import RevisionError, Revisions
from meshproof.runtime.settings import AuthzSettings, TlsSettings
from meshproof.runtime.tables import SettingError
from meshproof.runtime.telemetry.chained_key import KeyFileError, read_key
from meshproof.runtime.telemetry.making import refuse_unwritable
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.verifier import Verifier, accepted_issuers


def load_authorizer(
    settings: AuthzSettings,
    rings: Mapping[IssuerName, KeyRing],
    judge: Callable[[Loaded], None],
    tell: Callable[[Judged], None] | None = None,
) -> Authorizer:
    """The policy of the file, for all destinations, with tokens by the keys in the rings. Raises `StartError`.

    `judge` refuses by `RevisionError` what is older than it may be, and is asked when all else is good. `tell` hears of
    each decision.
    """
    files = settings.policy
    try:
        keys = tuple(path.read_bytes() for path in files.trusted_keys)
        with files.bundle.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        loaded = load_bundle(data, trusted_keys=keys)
        authorizer = Authorizer(loaded, settings.destinations, _verifiers(loaded.bundle.mesh, settings, rings), tell)
        judge(loaded)
    except OSError as error:
        raise StartError(f"`{error.filename}` cannot be read: {error.strerror}") from None
    except (BundleError, DestinationError, RevisionError) as error:
        raise StartError(f"`{files.bundle}` is refused: {error}") from None
    return authorizer


def check(settings: AuthzSettings) -> tuple[str, ...]:
    """Load everything that the settings name; its gaps, a sentence each. Raises `StartError`."""
    rings = {one.issuer: KeyRing(time.monotonic) for one in settings.tokens}
    gaps = load_authorizer(settings, rings, Revisions(settings.policy).check).gaps
    try:
        check_files(settings.tokens)
        if settings.telemetry.decision_log_key is not None:
            read_key(settings.telemetry.decision_log_key)
        refuse_unwritable(settings.telemetry)
    except (RefusedError, KeyFileError, SettingError) as error:
        raise StartError(str(error)) from None
    for listen in (settings.listen, settings.grpc):
        if listen is not None and listen.tls is not None:
            server_context(listen.tls)
    return gaps


def _verifiers(mesh: Mesh, settings: AuthzSettings, rings: Mapping[IssuerName, KeyRing]) -> dict[NodeName, Verifier]:
    """Of the services all of whose issuers' keys are known here."""
    found: dict[NodeName, Verifier] = {}
    for name in {NodeName(one.service) for one in settings.destinations}:
        issuers = accepted_issuers(mesh, name)
        if issuers and all(issuer.name in rings for issuer in issuers):
            found[name] = Verifier(issuers, rings, time.time)
    return found


def server_context(tls: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 and newer, with a certificate of the client. Raises `StartError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["http/1.1"])
    for path in (tls.client_ca, tls.certificate, tls.key):
        _refuse_unreadable(path)
    try:
        context.load_verify_locations(tls.client_ca)
    except OSError as error:
        raise StartError(f"`{tls.client_ca}` is no authority: {_said(error)}") from None
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except OSError as error:
        raise StartError(f"`{tls.certificate}` with the key `{tls.key}` is refused: {_said(error)}") from None
    return context


def _refuse_unreadable(path: Path) -> None:
    """OpenSSL does not say which of its files it could not read."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise StartError(f"`{path}` cannot be read: {error.strerror}") from None


def _said(error: OSError) -> str:
    """What OpenSSL says, in words, without the lines of its sources; of some files it has no words."""
    if not isinstance(error, ssl.SSLError):
        return str(error.strerror or error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    return (error.reason or "one of the two is no PEM of its kind").replace("_", " ").lower()


def _no_password() -> str:
    """A key with a password would make the start wait for somebody who types it."""
    return ""
