"""The files that a sidecar is given, made in a folder."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.runtime.identity.certificates import LEAF, Issued, authority

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.bundle import Bundle, dump, enforced
from meshproof.runtime.identity.keys import private_pem

MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port http 80 -> 8080 }
allow browse: front -> catalog:http { GET /items/** }
"""
CATALOG = "spiffe://shop.example/ns/shop/sa/catalog"
BEGINS = datetime(2026, 1, 1, tzinfo=UTC)
ENDS = datetime(2027, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@cache
def bundle(text: str = MESH, digest: str = "first", revision: int | None = None) -> bytes:
    """A bundle of a policy, which calls itself by that digest."""
    return dump(Bundle(digest, "known", enforced(policy_of_texts({"m.mesh": text}).meshes[0]), (), revision))


@cache
def root() -> Issued:
    """The authority of `shop.example`."""
    return authority()


@cache
def leaf(uri: str = CATALOG, number: int = 0, *, is_bounded: bool = False) -> Issued:
    """A certificate; another one for each number. `is_bounded`: from `BEGINS` to `ENDS`, else for a hundred years."""
    del number
    times = (BEGINS, ENDS) if is_bounded else (LEAF.begins, LEAF.ends)
    return root().sign(replace(LEAF, uris=(uri,), begins=times[0], ends=times[1]))


@dataclass(frozen=True, slots=True)
class Files:
    """The folder and what is in it."""

    folder: Path

    @property
    def config(self) -> Path:
        """The settings."""
        return self.folder / "run.toml"

    @property
    def policy(self) -> Path:
        """The bundle."""
        return self.folder / "policy.json"

    def write_policy(self, content: bytes) -> None:
        """Put a bundle there, as `mv` does it."""
        _put(self.policy, content)

    def write_identity(self, issued: Issued, trusted: Issued | None = None) -> None:
        """Put an SVID there."""
        _put(self.folder / "bundle.pem", _pem((trusted or root()).certificate))
        _put(self.folder / "svid.key", private_pem(issued.key))
        _put(self.folder / "svid.pem", _pem(*(issued.shown)))


def files(folder: Path, more: str = "", top: str = "") -> Files:
    """All files, of the service `catalog`."""
    found = Files(folder)
    found.write_policy(bundle())
    found.write_identity(leaf(number=0))
    found.config.write_text(
        f'service = "catalog"\n{top}'
        '[policy]\nbundle = "policy.json"\n'
        '[identity]\ncertificate = "svid.pem"\nkey = "svid.key"\ntrust_bundle = "bundle.pem"\n'
        '[[inbound]]\nport = 8080\nlisten = "127.0.0.1:0"\napplication = "127.0.0.1:8080"\n' + more,
        encoding="utf-8",
    )
    return found


def _put(path: Path, content: bytes) -> None:
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    beside.rename(path)


def _pem(*certificates: object) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)  # type: ignore[attr-defined]
