from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pytest

from meshproof.runtime.telemetry.lines import BackgroundLog, PlainFile, Stream


def _ended() -> None:
    pass


def _still() -> float:
    return 0.0


def test_lines_are_in_the_file_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    log = BackgroundLog(PlainFile(path, _still).write, _ended)
    for number in range(10_000):
        log.add(f"{number} and some more\n")
    log.close(20)
    assert path.read_text(encoding="utf-8").splitlines() == [f"{number} and some more" for number in range(10_000)]
    assert (log.lines, log.lost) == (10_000, 0)
    assert path.stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_writer_that_hangs_stops_nobody_and_what_finds_no_room_is_counted() -> None:
    go, begun = Event(), Event()
    written: list[str] = []

    def write(some: Sequence[str]) -> int:
        begun.set()
        go.wait(20)
        written.extend(some)
        return len(some)

    log = BackgroundLog(write, _ended, most_bytes=100)
    log.add("x" * 59 + "\n")
    log.flush()
    assert begun.wait(20)
    for _ in range(5):
        log.add("y" * 59 + "\n")
        log.flush()
    assert (log.lines, log.lost) == (0, 5)
    go.set()
    log.close(20)
    assert (log.lines, log.lost, len(written)) == (1, 5, 1)


def test_what_waits_is_bounded_without_a_flush_too() -> None:
    go = Event()

    def write(some: Sequence[str]) -> int:
        go.wait(20)
        return len(some)

    log = BackgroundLog(write, _ended, most_bytes=200_000)
    for _ in range(1000):
        log.add("x" * 999 + "\n")
    assert log.lost >= 700
    go.set()
    log.close(20)
    assert log.lines + log.lost == 1000


def test_a_file_that_was_moved_away_is_made_anew(tmp_path: Path) -> None:
    path, now = tmp_path / "a.log", 0.0
    file = PlainFile(path, lambda: now)
    file.write(["1\n"])
    path.rename(tmp_path / "old.log")
    assert file.write(["2\n"]) == 1  # within the second
    now = 1.0
    assert file.write(["3\n"]) == 1
    assert (tmp_path / "old.log").read_text(encoding="utf-8") == "1\n2\n"
    assert path.read_text(encoding="utf-8") == "3\n"
    now = 2.0
    path.unlink()
    assert file.write(["4\n"]) == 1
    assert path.read_text(encoding="utf-8") == "4\n"


def test_a_folder_that_is_gone_leaves_the_file_as_it_is(tmp_path: Path) -> None:
    folder, now = tmp_path / "logs", 0.0
    folder.mkdir()
    file = PlainFile(folder / "a.log", lambda: now)
    folder.rename(tmp_path / "moved")
    now = 1.0
    assert file.write(["1\n"]) == 1
    assert (tmp_path / "moved" / "a.log").read_text(encoding="utf-8") == "1\n"


def test_a_reader_that_is_gone_is_counted() -> None:
    reading, writing = os.pipe()
    stream = Stream(writing)
    assert stream.write(["1\n", "2\n"]) == 2
    os.close(reading)
    assert stream.write(["3\n"]) == 0
    log = BackgroundLog(stream.write, stream.close)
    log.add("4\n")
    log.close(20)
    assert (log.lines, log.lost) == (0, 1)
    os.close(writing)


def test_a_full_disk_loses_lines_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = [9]
    real = os.write

    def write(descriptor: int, data: memoryview) -> int:
        if room[0] == 0:
            raise OSError(28, "No space left on device")
        count = real(descriptor, data[: room[0]])
        room[0] -= count
        return count

    monkeypatch.setattr(os, "write", write)
    file = PlainFile(tmp_path / "a.log", _still)
    assert file.write(["aaa\n", "bbb\n", "ccc\n"]) == 2
    assert file.write(["ddd\n"]) == 0
    room[0] = 100
    assert file.write(["eee\n"]) == 1
    assert (tmp_path / "a.log").read_text(encoding="utf-8") == "aaa\nbbb\nc\neee\n"


def test_what_is_no_text_of_unicode_is_written_all_the_same(tmp_path: Path) -> None:
    assert PlainFile(tmp_path / "a.log", _still).write(["\ud800\n"]) == 1
    assert (tmp_path / "a.log").read_bytes() == b"?\n"
