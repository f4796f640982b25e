"""The development authority on disk: one file for each of its keys, and the SVIDs that it gives out.

Which key signs follows from the clock alone: a new one is in every bundle for an hour before it signs, so that nobody
meets a certificate whose authority is not known there. Nothing is switched over, and nothing can stop half way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.authority import BACKDATED, Authority
from meshproof.runtime.identity.errors import CredentialsError, IdentityError
from meshproof.runtime.identity.files import USUAL_NAMES, SvidContent, SvidFolder
from meshproof.runtime.identity.leaf import authority_domain, host_names
from meshproof.runtime.identity.pem import certificates
from meshproof.runtime.identity.private_folder import PrivateFolder, private_folder
from meshproof.runtime.identity.svid import Credentials

AHEAD = 3600
"""Seconds for which a new key is in the bundles before it signs."""

_PREFIX, _SUFFIX = "authority-", ".pem"
_CERTIFICATE, _KEY, _BUNDLE = USUAL_NAMES[0]


@dataclass(frozen=True, slots=True)
class Authorities:
    """The keys of one trust domain that are not over, the oldest first; at least one."""

    every: tuple[Authority, ...]

    @property
    def trust_domain(self) -> str:
        """The trust domain of all of them."""
        return self.every[0].trust_domain

    @property
    def bundle(self) -> bytes:
        """The trust bundle, in PEM."""
        return b"".join(one.pem for one in self.every)

    def has_given(self, own: Credentials) -> bool:
        """Whether the credentials are of ours: one of these keys is in their trust bundle."""
        known = own.bundles.authorities(self.trust_domain)
        return any(one.certificate.public_bytes(Encoding.DER) in known for one in self.every)

    def signing(self, now: float) -> Authority:
        """The one that signs: the newest that has been in bundles long enough, else the oldest."""
        known = [one for one in self.every if one.begins + AHEAD <= now]
        return known[-1] if known else self.every[0]

    def is_due(self, now: float) -> bool:
        """Whether half of the time of the newest is over, so that another one is needed."""
        newest = self.every[-1]
        return now - newest.begins > (newest.ends - newest.begins) / 2


def make_authority(folder: Path, trust_domain: str, now: float, seconds: float) -> Authorities:
    """The first key of a trust domain, in a folder that is made or has none. Raises `IdentityError`."""
    made = Authority.made(trust_domain, now, seconds)  # before the folder, which a wrong name leaves unmade
    with private_folder(folder, may_make=True) as opened:
        if any(map(_is_key, opened.names())):
            raise CredentialsError(f"`{folder}` has an authority already")
        return Authorities((_keep(opened, made),))


def load_authorities(folder: Path, now: float) -> Authorities:
    """The keys that are kept in a folder and not over. Raises `IdentityError`."""
    with private_folder(folder) as opened:
        return _loaded(opened, now)


def renew_authority(folder: Path, now: float, seconds: float, *, is_asked: bool) -> tuple[Authorities, bool]:
    """The keys, after a new one was made if it is due or asked for, and whether one was. Those that are over go."""
    with private_folder(folder) as opened:
        found = _loaded(opened, now)
        kept = {_file_name(one) for one in found.every}
        for name in filter(_is_key, opened.names()):
            if name not in kept:
                opened.remove(name)
        if not is_asked and not found.is_due(now):
            return found, False
        # The order is that of their making, whatever clocks do: one that nobody knows yet must not be the oldest.
        after = max(now, found.every[-1].begins + BACKDATED + 1)
        made = _keep(opened, Authority.made(found.trust_domain, after, seconds))
        return Authorities((*found.every, made)), True


def issue(
    authorities: Authorities,
    folder: Path,
    identity: SpiffeId,
    valid: tuple[float, float],
    *,
    hosts: Sequence[str] = (),
    replaces: bool,
) -> Credentials:
    """A new SVID in a folder, which is made if it is not there, under the names of SPIRE's agent.

    `valid`: now, and for how many seconds. The bundle is written first, then the key, then the certificate. Raises
    `IdentityError`.
    """
    now, seconds = valid
    issued = authorities.signing(now).issue(identity, now, seconds, hosts)
    with private_folder(folder, may_make=True) as opened:
        if not replaces and (there := {_CERTIFICATE, _KEY, _BUNDLE} & set(opened.names())):
            raise CredentialsError(f"`{folder / min(there)}` is there already; `--replace` writes over it")
        contents = ((_BUNDLE, authorities.bundle), (_KEY, issued.key), (_CERTIFICATE, issued.certificate))
        for name, content in contents:
            opened.write(name, content, replaces=replaces)
    return SvidFolder(folder).read().credentials(identity)


def rotate(authorities: Authorities, folder: Path, valid: tuple[float, float], *, is_asked: bool) -> Credentials | None:
    """A new SVID for the identity of that in the folder, if half of its time is over or it is asked for.

    Else the bundle alone is written, if it is another one. None: nothing was to be done. A folder that is not of these
    authorities is left alone. Raises `IdentityError`.
    """
    now = valid[0]
    content = SvidFolder(folder).read()
    own = content.credentials()
    proven = own.proven
    if not authorities.has_given(own):
        raise CredentialsError("its trust bundle has none of these authorities, so it was given by others")
    is_due = now - proven.begins > (proven.ends - proven.begins) / 2
    if is_asked or is_due or not _is_proven(content, authorities):
        hosts = host_names(certificates(own.certificates)[0])
        return issue(authorities, folder, own.identity, valid, hosts=hosts, replaces=True)
    if content.bundle == authorities.bundle:
        return None
    with private_folder(folder) as opened:
        opened.write(_BUNDLE, authorities.bundle, replaces=True)
    return SvidFolder(folder).read().credentials(own.identity)


def _is_proven(content: SvidContent, authorities: Authorities) -> bool:
    """Whether the certificate would stand under the bundle of now."""
    try:
        replace(content, bundle=authorities.bundle).credentials()
    except CredentialsError:
        return False
    return True


def _is_key(name: str) -> bool:
    return name.startswith(_PREFIX) and name.endswith(_SUFFIX)


def _file_name(authority: Authority) -> str:
    moment = datetime.fromtimestamp(authority.begins, UTC).strftime("%Y%m%dT%H%M%SZ")
    return f"{_PREFIX}{moment}-{authority.certificate.serial_number:x}{_SUFFIX}"


def _keep(folder: PrivateFolder, authority: Authority) -> Authority:
    folder.write(_file_name(authority), authority.secret, replaces=False)
    return authority


def _loaded(folder: PrivateFolder, now: float) -> Authorities:
    found = [_read(folder, name) for name in filter(_is_key, folder.names())]
    if not found:
        raise CredentialsError(f"`{folder.path}` has no authority")
    valid = sorted((one for one in found if now <= one.ends), key=lambda one: one.begins)
    if not valid:
        raise CredentialsError(f"the authority in `{folder.path}` is over, and a new one needs another folder")
    if len({one.trust_domain for one in valid}) > 1:
        raise CredentialsError(f"`{folder.path}` has authorities of several trust domains")
    return Authorities(tuple(valid))


def _read(folder: PrivateFolder, name: str) -> Authority:
    secret = folder.read(name)
    try:
        domain = authority_domain(certificates(secret.partition(b"-----BEGIN PRIVATE KEY-----")[0])[0])
        return Authority.kept(domain or "", secret)
    except IdentityError as error:
        raise CredentialsError(f"`{folder.path / name}` is refused: {error}") from None


def identity_of(text: str, trust_domain: str) -> SpiffeId:
    """The identity of a SPIFFE ID, or of its path alone in that trust domain. Raises `CredentialsError`."""
    found = SpiffeId.parse(f"spiffe://{trust_domain}{text}" if text.startswith("/") else text)
    if found is None:
        raise CredentialsError(f"`{text}` is no SPIFFE ID of a workload")
    return found


def due(credentials: Sequence[Credentials], authorities: Authorities) -> float:
    """When the next rotation is due, in seconds since the epoch."""
    halves = [one.proven.begins + (one.proven.ends - one.proven.begins) / 2 for one in credentials]
    newest = authorities.every[-1]
    return min([*halves, newest.begins + (newest.ends - newest.begins) / 2])
