"""What a sidecar is given: good is taken, and whatever is not leaves what was good last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.unit.runtime.identity.certificates import authority
from tests.unit.runtime.net.material.given_files import (
    CATALOG,
    ENDS,
    MESH,
    NOW,
    Files,
    bundle,
    files,
    leaf,
)

from meshproof.compiler.ir.bundle import SCHEMA
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.framing import identity_of_frame, policy_of_frame
from meshproof.runtime.net.material.given import Given
from meshproof.runtime.net.material.holding import Taken
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.settings_run_file import read_run_settings
from meshproof.runtime.signature import sign


@dataclass
class Heard:
    """What was told, and what was handed on."""

    said: list[tuple[str, ...]] = field(default_factory=list)
    frames: list[Frame] = field(default_factory=list)

    def taken(self, what: str, taken: Taken) -> None:
        self.said.append(("taken", what, taken.name))

    def refused(self, what: str, why: str) -> None:
        self.said.append(("refused", what, why))

    def gap(self, gap: str) -> None:
        self.said.append(("gap", gap))

    def over(self, name: str) -> None:
        self.said.append(("over", name))


@dataclass
class Scene:
    files: Files
    heard: Heard
    given: Given
    now: list[datetime]

    def names(self) -> tuple[str, str]:
        policy, identity = self.given.policy.taken, self.given.identity.taken
        assert policy is not None
        assert identity is not None
        return policy.name, identity.name


def _scene(folder: Path, *, top: str = "", is_bounded: bool = False) -> Scene:
    found = files(folder, top=top)
    if is_bounded:
        found.write_identity(leaf(is_bounded=True))
    heard, now = Heard(), [NOW]
    given = Given(read_run_settings(found.config), heard, heard.frames.append, lambda: now[0])
    return Scene(found, heard, given, now)


def _run(scene: Scene, body: Callable[[], Coroutine[None, None, None]]) -> None:
    scene.given.load()
    scene.heard.frames.clear()
    scene.heard.said.clear()
    asyncio.run(body())


def _signer() -> tuple[bytes, bytes]:
    private = Ed25519PrivateKey.generate()
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return secret, public


def test_a_worker_that_starts_is_told_what_holds(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    scene.given.load()
    policy, identity = scene.given.frames
    assert policy_of_frame(policy).bundle == bundle()
    assert identity_of_frame(identity).bundles[0][0] == "shop.example"
    assert scene.names() == ("first", CATALOG)
    assert scene.given.is_valid


CALLED = "service catalog { port http 80 -> 8080 }"
RENAMED = MESH.replace("service catalog", "service other").replace("-> catalog", "-> other")
BROKEN = [
    (b"", "unexpected|expected|JSON|empty"),
    (bundle()[:-40], "is refused"),
    (b"\xff\xfe", "is refused"),
    (bundle().replace(SCHEMA.encode(), b"meshproof/bundle/v0"), "no bundle in the format"),
    (
        bundle(MESH.replace("service catalog", "service other").replace("-> catalog", "-> other")),
        "no service or gateway",
    ),
    (
        bundle(MESH.replace("service catalog { port http 80 -> 8080 }", "service catalog { port http 80 -> 9090 }")),
        "8080",
    ),
]


@pytest.mark.parametrize(("content", "why"), BROKEN)
def test_a_bundle_that_is_not_good_leaves_the_last_good_one_and_is_told_once(
    tmp_path: Path, content: bytes, why: str
) -> None:
    scene = _scene(tmp_path)

    async def body() -> None:
        for _ in range(3):
            scene.files.write_policy(content)
            await scene.given.look()
        assert scene.names() == ("first", CATALOG)
        assert scene.heard.frames == []
        (told,) = scene.heard.said
        assert told[:2] == ("refused", "policy")
        with pytest.raises(RefusedError, match=why):
            raise RefusedError(told[2])
        assert scene.given.policy.refusal is not None
        scene.files.write_policy(bundle(digest="second"))
        await scene.given.look()
        assert scene.names() == ("second", CATALOG)
        assert [frame.kind for frame in scene.heard.frames] == ["policy"]
        assert scene.given.policy.refusal is None

    _run(scene, body)


def test_who_asks_is_told_each_time(tmp_path: Path) -> None:
    scene = _scene(tmp_path)

    async def body() -> None:
        scene.files.policy.unlink()
        assert [await scene.given.reload() for _ in range(2)] == [False, False]
        assert len(scene.heard.said) == 2
        assert "cannot be read: No such file" in scene.heard.said[1][2]
        scene.files.write_policy(bundle())
        assert await scene.given.reload()
        assert scene.heard.frames == []  # it is the one that holds

    _run(scene, body)


def test_only_whom_the_settings_trust_may_sign(tmp_path: Path) -> None:
    secret, public = _signer()
    other, _ = _signer()
    (tmp_path / "signer.pub").write_bytes(public)
    found = files(tmp_path)
    text = found.config.read_text(encoding="utf-8").replace("[identity]", 'trusted_keys = ["signer.pub"]\n[identity]')
    found.config.write_text(text, encoding="utf-8")
    found.write_policy(sign(bundle(), secret))
    heard = Heard()
    given = Given(read_run_settings(found.config), heard, heard.frames.append, lambda: NOW)
    scene = Scene(found, heard, given, [NOW])

    async def body() -> None:
        for content in (bundle(digest="second"), sign(bundle(digest="second"), other)):
            scene.files.write_policy(content)
            await scene.given.look()
            assert scene.names()[0] == "first"
        assert ["signature" in one[2] for one in heard.said] == [True, True]
        scene.files.write_policy(sign(bundle(digest="second"), secret))
        await scene.given.look()
        assert scene.names()[0] == "second"

    _run(scene, body)


def _guarded(folder: Path) -> tuple[Scene, bytes]:
    """A scene whose policies must not become older, the first of which has revision 5, and what signs others."""
    secret, public = _signer()
    (folder / "signer.pub").write_bytes(public)
    found = files(folder)
    guard = 'trusted_keys = ["signer.pub"]\nrevision_file = "revision"\n[identity]'
    text = found.config.read_text(encoding="utf-8").replace("[identity]", guard)
    found.config.write_text(text, encoding="utf-8")
    found.write_policy(sign(bundle(digest="fifth", revision=5), secret))
    return _again(found), secret


def _again(found: Files) -> Scene:
    heard = Heard()
    return Scene(found, heard, Given(read_run_settings(found.config), heard, heard.frames.append, lambda: NOW), [NOW])


def test_an_older_policy_is_refused_where_the_settings_ask_for_it(tmp_path: Path) -> None:
    scene, secret = _guarded(tmp_path)

    async def body() -> None:
        for number in (4, None):
            scene.files.write_policy(sign(bundle(digest="older", revision=number), secret))
            await scene.given.look()
            assert scene.names()[0] == "fifth"
        assert [one[:2] for one in scene.heard.said] == [("refused", "policy")] * 2
        assert "4 is older than 5" in scene.heard.said[0][2]
        scene.files.write_policy(sign(bundle(digest="older", revision=6), secret))
        await scene.given.look()
        assert scene.names()[0] == "older"
        assert scene.given.policy.taken is not None
        assert scene.given.policy.taken.revision == 6

    _run(scene, body)
    with pytest.raises(RefusedError, match="another process's"):
        _again(scene.files).given.load()
    scene.given.close()
    scene.files.write_policy(sign(bundle(digest="fifth", revision=5), secret))
    with pytest.raises(RefusedError, match="5 is older than 6"):
        _again(scene.files).given.load()


def test_a_trial_remembers_nothing(tmp_path: Path) -> None:
    scene, secret = _guarded(tmp_path)
    settings = read_run_settings(scene.files.config)
    Given(settings, scene.heard, lambda _: None, lambda: NOW, is_trial=True).load()
    assert not (tmp_path / "revision").exists()
    scene.given.load()
    before = (tmp_path / "revision").read_bytes()
    scene.files.write_policy(sign(bundle(digest="sixth", revision=6), secret))
    Given(settings, scene.heard, lambda _: None, lambda: NOW, is_trial=True).load()
    assert (tmp_path / "revision").read_bytes() == before
    scene.given.close()


def test_an_identity_is_swapped_whole(tmp_path: Path) -> None:
    scene = _scene(tmp_path)

    async def body() -> None:
        scene.files.write_identity(leaf(number=1))
        await scene.given.look()
        assert [frame.kind for frame in scene.heard.frames] == ["identity"]
        assert scene.heard.said == [("taken", "identity", CATALOG)]
        await scene.given.look()
        assert len(scene.heard.frames) == 1

    _run(scene, body)


def test_a_pair_that_does_not_fit_is_looked_at_twice_before_it_is_told(tmp_path: Path) -> None:
    scene = _scene(tmp_path)
    key = tmp_path / "svid.key"

    async def body() -> None:
        before = key.read_bytes()
        scene.files.write_identity(leaf(number=1))
        after = key.read_bytes()
        key.write_bytes(before)
        await scene.given.look()
        assert scene.heard.said == []
        await scene.given.look()
        assert scene.heard.said == [("refused", "identity", "the own key is not that of the own certificate")]
        await scene.given.look()
        assert len(scene.heard.said) == 1
        key.write_bytes(after)
        await scene.given.look()
        assert scene.heard.said[1:] == [("taken", "identity", CATALOG)]

    _run(scene, body)


STRANGER = authority("other.example")


@pytest.mark.parametrize(
    ("uri", "root", "why"),
    [
        ("spiffe://shop.example/ns/shop/sa/front", None, "is that of `spiffe://shop.example/ns/shop/sa/front`, not of"),
        (
            "spiffe://other.example/ns/shop/sa/catalog",
            STRANGER,
            "is that of `spiffe://other.example/ns/shop/sa/catalog`",
        ),
        (CATALOG, STRANGER, "is refused"),
    ],
)
def test_the_identity_of_somebody_else_is_refused(tmp_path: Path, uri: str, root: object, why: str) -> None:
    scene = _scene(tmp_path)

    async def body() -> None:
        if root is STRANGER:
            scene.files.write_identity(STRANGER.account("/ns/shop/sa/catalog", uri.split("/")[2]), STRANGER)
        else:
            scene.files.write_identity(leaf(uri))
        assert not await scene.given.reload()
        assert why in scene.heard.said[0][2]
        assert scene.heard.frames == []
        assert scene.names() == ("first", CATALOG)

    _run(scene, body)


def test_an_identity_that_is_over_is_said_once_and_one_that_comes_after_it_is_taken(tmp_path: Path) -> None:
    scene = _scene(tmp_path, is_bounded=True)

    async def body() -> None:
        await scene.given.look()
        assert scene.given.ends == ENDS.timestamp()
        scene.now[0] = datetime(2027, 1, 2, tzinfo=UTC)
        await scene.given.look()
        await scene.given.look()
        assert (scene.heard.said, scene.given.is_valid) == ([("over", CATALOG)], False)
        scene.files.write_identity(leaf(number=1))
        await scene.given.look()
        assert scene.heard.said[1:] == [("taken", "identity", CATALOG)]

    _run(scene, body)


def test_a_clock_that_jumps_and_comes_back_breaks_nothing_for_good(tmp_path: Path) -> None:
    scene = _scene(tmp_path, is_bounded=True)

    async def body() -> None:
        for day in (datetime(2040, 1, 1, tzinfo=UTC), datetime(1999, 1, 1, tzinfo=UTC)):
            scene.now[0] = day
            assert not scene.given.is_valid
            scene.files.write_identity(leaf(number=day.year, is_bounded=True))
            assert not await scene.given.reload()
            assert "the own certificate is refused" in scene.heard.said[-1][2]
        scene.now[0] = NOW
        await scene.given.look()
        assert scene.given.is_valid
        assert scene.heard.said[-1] == ("taken", "identity", CATALOG)

    _run(scene, body)


def test_a_folder_that_may_not_be_looked_into_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = _scene(tmp_path)

    def exists(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    async def body() -> None:
        monkeypatch.setattr(Path, "exists", exists)
        assert not await given.reload()
        assert "cannot be looked at: Permission denied" in scene.heard.said[-1][2]

    config = scene.files.config
    text = config.read_text(encoding="utf-8")
    begin, end = text.index("certificate ="), text.index("[[inbound]]")
    config.write_text(f'{text[:begin]}folder = "."\n{text[end:]}', encoding="utf-8")
    for name, usual in (("svid.key", "svid_key.pem"), ("bundle.pem", "svid_bundle.pem")):
        (tmp_path / name).rename(tmp_path / usual)
    given = Given(read_run_settings(config), scene.heard, scene.heard.frames.append, lambda: NOW)
    given.load()
    asyncio.run(body())


def test_it_does_not_start_with_what_is_over(tmp_path: Path) -> None:
    scene = _scene(tmp_path, is_bounded=True)
    scene.now[0] = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(RefusedError, match="the own certificate is refused"):
        scene.given.load()
