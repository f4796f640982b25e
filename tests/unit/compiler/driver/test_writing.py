"""One file: all of it or nothing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from meshproof.compiler.driver.writing import replace_file


def test_a_new_file_has_the_permissions_that_others_would_have(tmp_path: Path) -> None:
    replace_file(tmp_path / "new", b"text")
    (tmp_path / "other").write_bytes(b"text")

    assert (tmp_path / "new").read_bytes() == b"text"
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o755])
def test_permissions_stay(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)

    replace_file(path, b"new")

    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_reader_keeps_what_it_has_opened(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    with path.open("rb") as reader:
        replace_file(path, b"new")
        assert reader.read() == b"old"

    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link_and_a_dangling_one_gets_its_file(tmp_path: Path) -> None:
    for name in ("there", "not-there"):
        (tmp_path / f"link-to-{name}").symlink_to(name)
    (tmp_path / "there").write_bytes(b"old")

    for name in ("there", "not-there"):
        replace_file(tmp_path / f"link-to-{name}", b"new")
        assert (tmp_path / f"link-to-{name}").is_symlink()
        assert (tmp_path / name).read_bytes() == b"new"


def test_a_file_that_may_not_be_written_is_unchanged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    monkeypatch.setattr("os.access", lambda _path, mode: mode != os.W_OK)

    with pytest.raises(PermissionError):
        replace_file(path, b"new")

    assert path.read_bytes() == b"old"


def test_what_goes_wrong_on_the_way_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(_self: Path, _target: Path) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(Path, "replace", full)

    with pytest.raises(OSError, match="no space left"):
        replace_file(path, b"new")

    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_file_of_another_owner_stays_theirs_or_loses_rights_rather_than_gain_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o4755)
    theirs = os.stat_result((path.stat().st_mode, 0, 0, 1, path.stat().st_uid + 1, path.stat().st_gid, 3, 0, 0, 0))
    mine = path.stat()
    stats = iter([theirs, mine])
    refused: list[tuple[int, int]] = []

    def refuse(_path: Path, uid: int, gid: int) -> None:
        refused.append((uid, gid))
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "exists", lambda _self: True)
        patch.setattr(Path, "stat", lambda _self: next(stats))
        patch.setattr("os.chown", refuse)
        replace_file(path, b"new")

    assert refused == [(theirs.st_uid, theirs.st_gid)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_where_there_is_no_folder_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace_file(tmp_path / "nowhere" / "file", b"x")

    assert list(tmp_path.iterdir()) == []
