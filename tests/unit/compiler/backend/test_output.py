"""The output folder: all or nothing, and never over what is not ours."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.output import LOCK, OutputRefusedError, lock_of, write_output


def files(*pairs: tuple[str, bytes]) -> tuple[Artifact, ...]:
    made = tuple(Artifact(path, content) for path, content in pairs)
    return (*made, lock_of(made, target="istio", source_hash="h", version="1"))


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_and_lock_are_written(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "build"
    written = write_output(files(("a/b.yaml", b"x")), out)
    assert listing(out) == {"a/b.yaml", LOCK}
    assert written.files == ("a/b.yaml", LOCK)
    lock = json.loads((out / LOCK).read_bytes())
    assert lock["files"] == {"a/b.yaml": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
    assert stat.S_IMODE(out.stat().st_mode) & 0o500 == 0o500
    assert [path.name for path in out.parent.iterdir()] == ["build"]


def test_the_old_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    out = tmp_path / "build"
    write_output(files(("old.yaml", b"1"), ("same.yaml", b"1")), out)
    write_output(files(("new.yaml", b"2"), ("same.yaml", b"2")), out)
    assert listing(out) == {"new.yaml", "same.yaml", LOCK}
    assert (out / "same.yaml").read_bytes() == b"2"
    assert [path.name for path in tmp_path.iterdir()] == ["build"]


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    write_output(files(("a", b"")), tmp_path / "new")
    (tmp_path / "empty").mkdir()
    write_output(files(("a", b"")), tmp_path / "empty")
    assert listing(tmp_path / "empty") == {"a", LOCK}


def test_a_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OutputRefusedError, match=r"no `meshproof\.lock` of ours"):
        write_output(files(("a", b"")), tmp_path)
    assert listing(tmp_path) == {"notes.txt"}


def test_a_foreign_file_in_our_folder_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "build"
    write_output(files(("a", b"")), out)
    (out / "mine.txt").write_text("mine")
    with pytest.raises(OutputRefusedError, match=r"`mine\.txt`, which we did not write"):
        write_output(files(("b", b"")), out)
    assert listing(out) == {"a", "mine.txt", LOCK}


@pytest.mark.parametrize("lock", ["{", "[]", '{"schema": "other", "files": {}}', '{"schema": "meshproof/lock/v1"}'])
def test_a_lock_that_is_not_ours_does_not_count(tmp_path: Path, lock: str) -> None:
    (tmp_path / LOCK).write_text(lock)
    with pytest.raises(OutputRefusedError):
        write_output(files(("a", b"")), tmp_path)


def test_a_link_and_a_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("x")
    for name in ("link", "file"):
        with pytest.raises(OutputRefusedError):
            write_output(files(("a", b"")), tmp_path / name)


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x"])
def test_a_path_that_leads_out_leaves_nothing_behind(tmp_path: Path, path: str) -> None:
    out = tmp_path / "build"
    write_output(files(("a", b"1")), out)
    with pytest.raises(OutputRefusedError, match="leads out"):
        write_output(files((path, b"")), out)
    assert [one.name for one in tmp_path.iterdir()] == ["build"]
    assert listing(out) == {"a", LOCK}


def test_files_without_a_lock_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputRefusedError, match="hold no"):
        write_output((Artifact("a", b""),), tmp_path / "build")


def test_the_old_folder_comes_back_if_the_swap_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "build"
    write_output(files(("a", b"1")), out)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if Path(target) == out and self.name.startswith(".build.") and ".old." not in self.parent.name:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="no"):
        write_output(files(("b", b"2")), out)
    assert listing(out) == {"a", LOCK}
    assert [one.name for one in tmp_path.iterdir()] == ["build"]
