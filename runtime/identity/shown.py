"""What is told of certificates and of who holds them: the same for people and for programs, and never a key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from meshproof.compiler.ir.json_text import Json
from meshproof.runtime.identity.development import Authorities, load_authorities
from meshproof.runtime.identity.errors import CertificateError, IdentityError
from meshproof.runtime.identity.files import SvidFolder, content_of
from meshproof.runtime.identity.keys import key_name
from meshproof.runtime.identity.leaf import authority_domain, host_names, leaf_identity
from meshproof.runtime.identity.pem import certificates
from meshproof.runtime.identity.svid import Credentials

_DEVELOPMENT = "development alone: its key lies in a file"


@dataclass(frozen=True, slots=True)
class Shown:
    """What one path is, in pairs of a word and what is said; and why it is refused, if it is."""

    path: Path
    said: tuple[tuple[str, str], ...]
    refused: str = ""

    def value(self) -> Json:
        """The same for programs."""
        found: dict[str, Json] = {"path": str(self.path), **dict(self.said)}
        return {**found, "refused": self.refused} if self.refused else found


def written(one: Shown) -> str:
    """The same for people."""
    lines = [f"{word:<14}{said}" for word, said in (*one.said, *((("refused", one.refused),) if one.refused else ()))]
    return "\n".join((str(one.path), *(f"  {line}" for line in lines), ""))


def shown(path: Path, now: float) -> Shown:
    """What is at a path: a folder of an SVID or of our authority, or a file of certificates."""
    try:
        if not path.is_dir():
            return _shown_file(path, now)
        if any(path.glob("authority-*.pem")):
            return shown_authorities(path, load_authorities(path, now))
        return shown_credentials(path, SvidFolder(path).read().credentials(), now)
    except IdentityError as error:
        return Shown(path, (), str(error))


def shown_authorities(path: Path, authorities: Authorities) -> Shown:
    """The keys of a development authority."""
    keys = ", ".join(f"{one.certificate.serial_number:x} until {_time(one.ends)}" for one in authorities.every)
    return Shown(path, (("trust_domain", authorities.trust_domain), ("authorities", keys), ("for", _DEVELOPMENT)))


def shown_credentials(path: Path, own: Credentials, now: float) -> Shown:
    """An own SVID, whose key and bundle fit."""
    chain = certificates(own.certificates)
    trusted = (f"{one.trust_domain} ({len(one.authorities)})" for one in own.bundles.bundles)
    said = (
        ("identity", own.identity.uri),
        *_of(chain[0]),
        ("valid_from", _time(own.proven.begins)),
        ("valid_until", _time(own.ends)),
        ("certificates", str(len(chain))),
        ("trusts", ", ".join(trusted)),
    )
    try:
        own.proven.check(now)
    except CertificateError as error:
        return Shown(path, said, str(error))
    return Shown(path, said)


def _shown_file(path: Path, now: float) -> Shown:
    leaf = certificates(content_of(path))[0]
    said = (
        *_of(leaf),
        ("valid_from", _time(leaf.not_valid_before_utc.timestamp())),
        ("valid_until", _time(leaf.not_valid_after_utc.timestamp())),
    )
    try:
        domain = authority_domain(leaf)
        if domain is not None:
            return Shown(path, (("trust_domain", domain), *said), _over(leaf, now))
        return Shown(path, (("identity", leaf_identity(leaf).uri), *said), _over(leaf, now))
    except CertificateError as error:
        return Shown(path, said, str(error))


def _of(leaf: x509.Certificate) -> tuple[tuple[str, str], ...]:
    found = (("serial", f"{leaf.serial_number:x}"), ("key", key_name(leaf.public_key())))
    hosts = host_names(leaf)
    return (*found, ("hosts", ", ".join(hosts))) if hosts else found


def _over(leaf: x509.Certificate, now: float) -> str:
    if now < leaf.not_valid_before_utc.timestamp():
        return "it is not valid yet"
    return "it is not valid any more" if now > leaf.not_valid_after_utc.timestamp() else ""


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
