from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.unit.runtime.identity.certificates import NOW

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity import development
from meshproof.runtime.identity.development import AHEAD, Authorities
from meshproof.runtime.identity.errors import CredentialsError, IdentityError
from meshproof.runtime.identity.files import SvidFolder
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.identity.svid import Credentials

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
HOUR, DAY = 3600.0, 86_400.0


class Scene:
    """The authority of shop.example in one folder, an SVID in another, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.keys = folder / "authority"
        self.folder = folder / "front"
        development.make_authority(self.keys, "shop.example", self.now, 30 * DAY)

    @property
    def authorities(self) -> Authorities:
        return development.load_authorities(self.keys, self.now)

    def issue(self, *, replaces: bool = False, hosts: tuple[str, ...] = ()) -> Credentials:
        return development.issue(self.authorities, self.folder, FRONT, (self.now, HOUR), hosts=hosts, replaces=replaces)

    def rotate(self, *, is_asked: bool = False) -> Credentials | None:
        return development.rotate(self.authorities, self.folder, (self.now, HOUR), is_asked=is_asked)

    def renew(self, *, is_asked: bool = False) -> bool:
        return development.renew_authority(self.keys, self.now, 30 * DAY, is_asked=is_asked)[1]

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}

    def kept(self) -> list[str]:
        return sorted(os.listdir(self.keys))  # noqa: PTH208


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_an_svid_is_given_as_spires_agent_writes_it(scene: Scene) -> None:
    own = scene.issue()

    assert (own.identity, own.ends) == (FRONT, NOW + HOUR)
    assert sorted(scene.content()) == ["bundle.0.pem", "svid.0.key", "svid.0.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in scene.folder.iterdir()} == {0o600}
    assert SvidFolder(scene.folder).read().credentials(FRONT) == own


def test_keys_of_authorities_are_ours_alone(scene: Scene) -> None:
    (name,) = scene.kept()

    assert stat.S_IMODE((scene.keys / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(scene.keys.stat().st_mode) == 0o700


def test_an_authority_is_not_made_twice(scene: Scene) -> None:
    before = scene.kept()
    with pytest.raises(CredentialsError, match="has an authority already"):
        development.make_authority(scene.keys, "shop.example", NOW, DAY)

    assert scene.kept() == before


def test_what_is_there_is_not_written_over(scene: Scene) -> None:
    scene.issue()
    before = scene.content()
    with pytest.raises(CredentialsError, match=r"front/bundle\.0\.pem` is there already; `--replace`"):
        scene.issue()

    assert scene.content() == before
    assert scene.issue(replaces=True).identity == FRONT
    assert scene.content() != before


def test_nothing_is_rotated_before_half_of_its_time_is_over(scene: Scene) -> None:
    own = scene.issue(hosts=("front.shop.svc",))
    half = (own.proven.begins + own.proven.ends) / 2
    assert development.due([own], scene.authorities) == half

    scene.now = half
    assert scene.rotate() is None

    scene.now = half + 1
    rotated = scene.rotate()
    assert rotated is not None
    assert (rotated.identity, rotated.ends) == (FRONT, scene.now + HOUR)
    assert rotated.serial != own.serial
    assert scene.rotate() is None
    asked = scene.rotate(is_asked=True)
    assert asked is not None
    assert asked.serial != rotated.serial


def test_what_has_expired_is_rotated(scene: Scene) -> None:
    scene.issue()
    scene.now += 5 * DAY

    rotated = scene.rotate()

    assert rotated is not None
    assert rotated.ends == scene.now + HOUR


def test_rotation_is_taken_by_what_runs(scene: Scene) -> None:
    identities = Identities(lambda: scene.now)
    identities.take(scene.issue())
    before = identities.server_context()
    scene.now += HOUR / 2
    rotated = scene.rotate()
    assert rotated is not None

    identities.take(SvidFolder(scene.folder).read().credentials(FRONT))

    assert identities.own == rotated
    assert identities.server_context() is not before


def test_a_new_authority_is_known_before_it_signs(scene: Scene) -> None:
    first = scene.authorities.every[0]
    scene.issue()
    assert scene.renew(is_asked=True)
    assert len(scene.authorities.every) == 2

    rotated = scene.rotate()
    assert rotated is not None
    assert len(rotated.bundles.authorities("shop.example")) == 2
    assert rotated.ends == NOW + HOUR  # the bundle alone is new

    assert scene.authorities.signing(scene.now).certificate == first.certificate
    scene.now += AHEAD + 1
    second = scene.authorities.signing(scene.now)
    assert second.certificate != first.certificate
    now_signed = scene.rotate()
    assert now_signed is not None
    assert len(now_signed.bundles.authorities("shop.example")) == 2


def test_an_authority_is_renewed_at_half_of_its_time_and_goes_when_it_is_over(scene: Scene) -> None:
    assert not scene.renew()
    scene.now += 15 * DAY
    assert scene.renew()
    assert not scene.renew()
    assert len(scene.kept()) == 2

    scene.now += 15 * DAY + 1
    assert len(scene.authorities.every) == 1
    scene.renew()
    assert len(scene.kept()) == 2  # that which is over is gone, and there is the next one
    assert scene.authorities.every[-1].begins > NOW + 20 * DAY


def test_an_authority_that_is_over_is_no_authority(scene: Scene) -> None:
    scene.now += 31 * DAY

    with pytest.raises(CredentialsError, match="is over, and a new one needs another folder"):
        scene.issue()
    assert not scene.folder.exists()


def test_what_others_have_given_is_left_alone(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Scene(tmp_path / "other")
    other.issue()
    before = other.content()

    with pytest.raises(CredentialsError, match="given by others"):
        development.rotate(scene.authorities, other.folder, (NOW, HOUR), is_asked=True)
    assert other.content() == before


def test_a_certificate_that_the_bundle_of_now_does_not_prove_is_given_anew(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Scene(tmp_path / "other")
    other.issue()
    bundle = other.folder / "bundle.0.pem"
    bundle.write_bytes(bundle.read_bytes() + scene.authorities.bundle)

    rotated = development.rotate(scene.authorities, other.folder, (NOW, HOUR), is_asked=False)

    assert rotated is not None
    assert bundle.read_bytes() == scene.authorities.bundle


@pytest.mark.parametrize("text", ["/ns/shop/sa/front", "spiffe://shop.example/ns/shop/sa/front"])
def test_identities_are_written_whole_or_as_a_path(text: str) -> None:
    assert development.identity_of(text, "shop.example") == FRONT


@pytest.mark.parametrize(
    "text", ["", "front", "/", "//x", "/a/../b", "https://shop.example/x", "spiffe://shop.example"]
)
def test_what_names_no_workload_is_refused(text: str) -> None:
    with pytest.raises(CredentialsError, match="is no SPIFFE ID of a workload"):
        development.identity_of(text, "shop.example")


def test_a_broken_key_is_refused_with_its_place(scene: Scene) -> None:
    (name,) = scene.kept()
    whole = (scene.keys / name).read_bytes()
    for broken in (b"", whole[:100], whole[:-100], b"x"):
        (scene.keys / name).write_bytes(broken)
        with pytest.raises(IdentityError, match=f"{name}` is refused: "):
            scene.issue()

    (scene.keys / name).unlink()
    with pytest.raises(CredentialsError, match="has no authority"):
        scene.issue()


def test_authorities_of_several_trust_domains_do_not_share_a_folder(scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    development.make_authority(tmp_path / "other" / "keys", "other.example", NOW, DAY)
    (key,) = (tmp_path / "other" / "keys").iterdir()
    key.rename(scene.keys / key.name)

    with pytest.raises(CredentialsError, match="authorities of several trust domains"):
        scene.issue()


def test_the_order_of_authorities_is_that_of_their_making_whatever_the_clock_does(scene: Scene) -> None:
    first = scene.authorities.every[0]
    scene.now -= HOUR / 100
    assert scene.renew(is_asked=True)
    assert scene.renew(is_asked=True)

    assert scene.authorities.every[0].certificate == first.certificate
    assert scene.authorities.signing(scene.now).certificate == first.certificate
