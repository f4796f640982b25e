"""Files as they are at one moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.files import Watch, content


def _replace(path: Path) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(b"one")
    beside.rename(path)


CHANGES: list[Callable[[Path], object]] = [
    _replace,
    lambda path: path.write_bytes(b"other"),
    lambda path: path.unlink(),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_seen_once(tmp_path: Path, change: Callable[[Path], object]) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    watch = Watch((path,))
    assert not watch.has_changed()
    change(path)
    assert [watch.has_changed(), watch.has_changed()] == [True, False]


def test_a_folder_of_links_that_is_swapped_is_seen(tmp_path: Path) -> None:
    """As Kubernetes does it: the files are links into a folder, which is itself a link that is replaced."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_bytes(b"one")
    (tmp_path / "data").symlink_to("a")
    (tmp_path / "file").symlink_to("data/file")
    watch = Watch((tmp_path / "file",))
    (tmp_path / "next").symlink_to("b")
    (tmp_path / "next").rename(tmp_path / "data")
    assert watch.has_changed()


def test_what_cannot_be_read_or_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with pytest.raises(RefusedError, match="cannot be read: No such file"):
        content(path)
    path.write_bytes(b"12345")
    assert content(path, 5) == b"12345"
    with pytest.raises(RefusedError, match="has more than 4 bytes"):
        content(path, 4)
