from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.private_folder import private_folder


@pytest.fixture(params=[0o000, 0o077, 0o777])
def _mask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    made = tmp_path / "secrets"
    made.mkdir(mode=0o700)
    return made


@pytest.mark.usefixtures("_mask")
@pytest.mark.parametrize("replaces", [False, True])
def test_files_are_ours_alone_whatever_the_mask_is(place: Path, *, replaces: bool) -> None:
    with private_folder(place) as folder:
        folder.write("key", b"secret", replaces=replaces)

    assert stat.S_IMODE((place / "key").stat().st_mode) == 0o600
    assert (place / "key").read_bytes() == b"secret"
    assert (place / "key").stat().st_nlink == 1
    assert os.listdir(place) == ["key"]  # noqa: PTH208  hidden ones too


def test_folders_are_made_for_us_alone(tmp_path: Path) -> None:
    with private_folder(tmp_path / "made", may_make=True) as folder:
        assert folder.names() == []

    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700
    with pytest.raises(CredentialsError, match="cannot be opened: No such file"), private_folder(tmp_path / "other"):
        pass
    deep = tmp_path / "no" / "folder"
    with pytest.raises(CredentialsError, match="there is no folder `"), private_folder(deep, may_make=True):
        pass


def test_what_is_there_is_replaced_only_where_that_is_said(place: Path) -> None:
    with private_folder(place) as folder:
        folder.write("key", b"first", replaces=False)
        with pytest.raises(CredentialsError, match="key` is there already"):
            folder.write("key", b"second", replaces=False)
        assert folder.read("key") == b"first"

        (place / "key").chmod(0o644)
        folder.write("key", b"second", replaces=True)
        assert folder.read("key") == b"second"

    assert stat.S_IMODE((place / "key").stat().st_mode) == 0o600
    assert os.listdir(place) == ["key"]  # noqa: PTH208


@pytest.mark.parametrize("replaces", [False, True])
def test_links_are_not_followed_and_not_replaced(place: Path, tmp_path: Path, *, replaces: bool) -> None:
    target = tmp_path / "target"
    target.write_bytes(b"of somebody else")
    (place / "key").symlink_to(target)
    (place / "nowhere").symlink_to(tmp_path / "made-by-us")

    with private_folder(place) as folder:
        for name in ("key", "nowhere"):
            with pytest.raises(CredentialsError, match=f"{name}` is no file, so it is not replaced"):
                folder.write(name, b"secret", replaces=replaces)
        with pytest.raises(CredentialsError, match="key` cannot be read: Too many levels of symbolic links"):
            folder.read("key")

    assert target.read_bytes() == b"of somebody else"
    assert not (tmp_path / "made-by-us").exists()
    assert (place / "key").is_symlink()


def test_a_folder_that_is_a_link_is_refused(place: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(place)

    for may_make in (False, True):
        link = private_folder(tmp_path / "link", may_make=may_make)
        with pytest.raises(CredentialsError, match="link` cannot be opened: it is a link"), link:
            pass


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_folder_that_others_may_write_to_is_refused(place: Path, mode: int) -> None:
    place.chmod(mode)

    with pytest.raises(CredentialsError, match="others may write to"), private_folder(place):
        pass


def test_a_folder_of_somebody_else_is_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: place.stat().st_uid + 1)

    with pytest.raises(CredentialsError, match="belongs to somebody else"), private_folder(place):
        pass


def test_what_is_no_file_is_not_read(place: Path) -> None:
    (place / "folder").mkdir()
    os.mkfifo(place / "pipe")

    with private_folder(place) as folder:
        for name in ("folder", "pipe"):
            with pytest.raises(CredentialsError, match=f"{name}` is no file"):
                folder.read(name)
        with pytest.raises(CredentialsError, match="none` cannot be read"):
            folder.read("none")


def test_a_write_that_fails_leaves_what_was_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with private_folder(place) as folder:
        folder.write("key", b"first", replaces=False)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(CredentialsError, match="key` cannot be written: No space left on device"):
            folder.write("key", b"second", replaces=True)
        assert folder.read("key") == b"first"
        assert folder.names() == ["key"]

    assert os.listdir(place) == ["key"]  # noqa: PTH208


def test_files_are_removed(place: Path) -> None:
    with private_folder(place) as folder:
        folder.write("key", b"first", replaces=False)
        folder.remove("key")
        with pytest.raises(CredentialsError, match="key` cannot be removed"):
            folder.remove("key")

        assert folder.names() == []
