from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.runtime.identity.certificates import AUTHORITY, NOW, Issued, authority

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.files import SvidFiles, SvidFolder
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.identity.keys import private_pem

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
NAMES = ("svid.0.pem", "svid.0.key", "bundle.0.pem")


def _pem(*issued: Issued) -> bytes:
    return b"".join(one.public_bytes(Encoding.PEM) for each in issued for one in each.shown)


def _write(folder: Path, issued: Issued, *roots: Issued, names: tuple[str, str, str] = NAMES) -> None:
    folder.mkdir(exist_ok=True)
    for name, content in zip(names, (_pem(issued), private_pem(issued.key), _pem(*roots)), strict=True):
        (folder / name).write_bytes(content)


class Scene:
    """A folder, and who takes what is in it."""

    def __init__(self, folder: Path) -> None:
        self.root = authority()
        self.folder = folder
        self.identities = Identities(lambda: NOW)

    def take(self) -> None:
        self.identities.take(SvidFolder(self.folder).read().credentials(FRONT))

    @property
    def serial(self) -> int:
        assert self.identities.own is not None
        return self.identities.own.serial

    @property
    def trusted(self) -> str:
        assert self.identities.own is not None
        return " ".join(self.identities.own.bundles.trust_domains)

    def rotate(self) -> Issued:
        issued = self.root.account(FRONT.path)
        _write(self.folder, issued, self.root)
        return issued


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path / "svid")
    made.rotate()
    made.take()
    return made


def test_new_files_are_taken_by_new_contexts(scene: Scene) -> None:
    context = scene.identities.server_context(("h2",))
    issued = scene.rotate()

    scene.take()

    assert scene.serial == issued.certificate.serial_number
    assert scene.identities.server_context(("h2",)) is not context


def test_new_bundles_alone_are_taken(scene: Scene) -> None:
    next_root = authority()
    (scene.folder / "bundle.0.pem").write_bytes(_pem(scene.root, next_root))

    scene.take()

    assert scene.identities.own is not None
    assert len(scene.identities.own.bundles.authorities("shop.example")) == 2


def test_a_link_that_is_swapped_is_seen(tmp_path: Path) -> None:
    """Volumes of Kubernetes: `tls.crt` leads to `..data/tls.crt`, and `..data` is replaced."""
    scene = Scene(tmp_path / "volume")
    scene.folder.mkdir()
    names = ("tls.crt", "tls.key", "ca.crt")
    issued = [scene.root.account(FRONT.path) for _ in range(2)]
    for index, one in enumerate(issued):
        _write(scene.folder / f"..{index}", one, scene.root, names=names)
    (scene.folder / "..data").symlink_to("..0")
    for name in names:
        (scene.folder / name).symlink_to(f"..data/{name}")
    scene.take()
    (scene.folder / "..next").symlink_to("..1")
    (scene.folder / "..next").rename(scene.folder / "..data")

    scene.take()
    assert scene.serial == issued[1].certificate.serial_number


def test_a_pair_that_is_half_written_is_not_taken(scene: Scene) -> None:
    serial = scene.serial
    issued = scene.root.account(FRONT.path)
    (scene.folder / NAMES[0]).write_bytes(_pem(issued))

    with pytest.raises(CredentialsError, match="the own key is not that of the own certificate"):
        scene.take()
    assert scene.serial == serial
    scene.identities.server_context()

    (scene.folder / NAMES[1]).write_bytes(private_pem(issued.key))
    scene.take()
    assert scene.serial == issued.certificate.serial_number


def _cut(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: len(content) // 2])


def _instead(path: Path, make: Callable[[Path], None]) -> None:
    path.unlink()
    make(path)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no certificate": (lambda folder: (folder / NAMES[0]).unlink(), "has no certificate under a usual name"),
    "no key": (lambda folder: (folder / NAMES[1]).unlink(), "svid.0.key` cannot be read: No such file or directory"),
    "cut certificate": (lambda folder: _cut(folder, NAMES[0]), "the own certificate is refused: it holds a certifi"),
    "cut key": (lambda folder: _cut(folder, NAMES[1]), "the own key is refused: it holds a private key that cannot"),
    "cut bundle": (lambda folder: _cut(folder, NAMES[2]), "the own trust bundle is refused: it holds a certificate"),
    "empty bundle": (lambda folder: (folder / NAMES[2]).write_bytes(b""), "it holds no certificate in PEM"),
    "key in the certificate": (
        lambda folder: (folder / NAMES[0]).write_bytes((folder / NAMES[1]).read_bytes()),
        "it holds a block `PRIVATE KEY`, and certificates alone are expected",
    ),
    "a folder": (
        lambda folder: _instead(folder / NAMES[1], Path.mkdir),
        "svid.0.key` cannot be read: it is no file",
    ),
    "a pipe": (
        lambda folder: _instead(folder / NAMES[1], os.mkfifo),
        "svid.0.key` cannot be read: it is no file",
    ),
    "too large": (lambda folder: (folder / NAMES[2]).write_bytes(b" " * 1_048_577), "is larger than 1048576 bytes"),
    "two sets": (lambda folder: (folder / "tls.crt").write_bytes(b""), "has both `svid.0.pem` and `tls.crt`"),
}


@pytest.mark.parametrize(("broken", "why"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_not_taken(scene: Scene, broken: Callable[[Path], object], why: str) -> None:
    serial = scene.serial
    broken(scene.folder)

    with pytest.raises(CredentialsError) as refused:
        scene.take()
    assert why in str(refused.value)
    assert scene.serial == serial


def test_who_is_somebody_else_is_not_taken(scene: Scene) -> None:
    _write(scene.folder, scene.root.account("/ns/shop/sa/other"), scene.root)

    with pytest.raises(CredentialsError, match=r"is that of `spiffe://shop\.example/ns/shop/sa/other`, not of"):
        scene.take()


def test_a_certificate_of_a_root_that_is_not_in_the_bundle_is_not_taken(scene: Scene) -> None:
    _write(scene.folder, authority().account(FRONT.path), scene.root)

    with pytest.raises(CredentialsError, match="does not lead to an authority that is trusted"):
        scene.take()


def test_bundles_of_other_trust_domains_are_taken_from_where_the_agent_puts_them(scene: Scene) -> None:
    (scene.folder / "federated_bundle.0.0.pem").write_bytes(_pem(authority("other.example")))

    scene.take()
    assert scene.trusted == "other.example shop.example"

    (scene.folder / "federated_bundle.0.0.pem").unlink()
    scene.take()
    assert scene.trusted == "shop.example"


def test_a_federated_bundle_that_names_no_trust_domain_must_be_told(scene: Scene) -> None:
    nameless = replace(AUTHORITY, uris=())
    place = scene.folder / "other.pem"
    place.write_bytes(_pem(scene.root.sign(nameless)).split(b"-----END")[0] + b"-----END CERTIFICATE-----\n")
    paths = [scene.folder / name for name in NAMES]

    with pytest.raises(CredentialsError, match="does not name its trust domain, so it must be told"):
        SvidFiles(paths[0], paths[1], paths[2], ((None, place),)).read().credentials()
    told = SvidFiles(paths[0], paths[1], paths[2], (("other.example", place),)).read().credentials()
    assert told.bundles.trust_domains == ("other.example", "shop.example")


def test_a_second_bundle_of_the_own_domain_is_refused(scene: Scene) -> None:
    (scene.folder / "federated_bundle.0.0.pem").write_bytes(_pem(scene.root))

    with pytest.raises(CredentialsError, match="a trust domain has two bundles"):
        scene.take()


def test_keys_are_in_no_representation(scene: Scene) -> None:
    assert "PRIVATE" not in repr(scene.identities.own)
    assert "PRIVATE" not in repr(SvidFolder(scene.folder).read())
