"""A chain shows what was done to it, a restart continues it, and a full disk leaves it whole."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.runtime.telemetry.chain import BEGINNING, Chain, Link, read
from meshproof.runtime.telemetry.chained_file import ChainedFile, ChainError
from meshproof.runtime.telemetry.verify_log import Broken, Whole, verify


def _members(count: int, start: int = 0) -> list[str]:
    return [f'{{"n":{number},"text":"a\\"b"' for number in range(start, start + count)]


def _lines(count: int, key: bytes | None = None) -> list[bytes]:
    return [line for line, _ in Chain(Link(), key).sealed(_members(count))]


def _verified(data: bytes, key: bytes | None = None) -> Whole | Broken:
    return verify([("a.log", io.BytesIO(data))], key)


def _of(path: Path, *more: Path, key: bytes | None = None) -> Whole | Broken:
    return verify([(one.name, io.BytesIO(one.read_bytes())) for one in (path, *more)], key)


def test_a_chain_is_whole_and_its_lines_are_json() -> None:
    lines = _lines(5)
    found = _verified(b"".join(lines))
    assert isinstance(found, Whole)
    assert (found.lines, found.first, found.last.number, found.recovered) == (5, Link(0, BEGINNING), 5, 0)
    assert found.last.hash == json.loads(lines[-1])["hash"]
    assert [json.loads(line)["text"] for line in lines] == ['a"b'] * 5


@given(st.data())
def test_whatever_is_done_to_a_line_shows(data: st.DataObject) -> None:
    lines = _lines(6)
    at = data.draw(st.integers(0, 4))  # not the last one: whoever cuts the end cuts a whole chain
    done = data.draw(st.sampled_from(("missing", "twice", "swapped", "changed", "added")))
    other = list(lines)
    if done == "missing":
        del other[at]
    elif done == "twice":
        other.insert(at, lines[at])
    elif done == "swapped":
        other[at], other[at + 1] = other[at + 1], other[at]
    elif done == "added":
        other.insert(at + 1, Chain(read(lines[at][:-1], None).link, None).sealed(['{"forged":1'])[0][0])  # type: ignore[union-attr]
    else:
        place = data.draw(st.integers(0, len(lines[at]) - 2))
        byte = data.draw(st.integers(0, 255).filter(lambda byte: byte not in {10, lines[at][place]}))
        other[at] = lines[at][:place] + bytes([byte]) + lines[at][place + 1 :]
    found = _verified(b"".join(other))
    if (done, at) == ("missing", 0):
        assert isinstance(found, Whole)
        assert found.first.number == 1  # it says that it begins after line 1
    else:
        assert isinstance(found, Broken)
        assert found.file == "a.log"


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "there is no line"),
        (b"nonsense\n", "this is not the line that was written"),
        (_lines(1)[0][:-1], "this is not the line that was written"),
        (_lines(2)[0] + _lines(2)[1][:-5], "this is not the line that was written"),
        (_lines(3)[0] + _lines(3)[2], "lines 2 to 2 of the chain are missing"),
        (b"".join(_lines(2)) + _lines(1)[0], "line 1 of the chain comes after line 2"),
        (b"x" * 3_000_000, "this is not the line that was written"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, what: str) -> None:
    found = _verified(data)
    assert isinstance(found, Broken)
    assert found.what == what


def test_only_who_has_the_key_makes_a_chain() -> None:
    with_key = b"".join(_lines(3, b"secret"))
    assert isinstance(_verified(with_key, b"secret"), Whole)
    assert isinstance(_verified(with_key), Broken)
    assert isinstance(_verified(b"".join(_lines(3)), b"secret"), Broken)


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "d.log"


def _killed(file: ChainedFile) -> None:
    os.close(file._file)
    os.close(file._lock)


def _still() -> float:
    return 0.0


def test_a_restart_continues_the_chain(path: Path) -> None:
    first = ChainedFile(path, _still)
    assert first.write(_members(3)) == 3
    _killed(first)
    second = ChainedFile(path, _still)
    assert (second.last.number, second.write(_members(2, 3))) == (3, 2)
    found = _of(path)
    assert isinstance(found, Whole)
    assert found.lines == 5
    _killed(second)


def test_a_line_that_was_torn_by_a_kill_is_told_and_kept(path: Path) -> None:
    first = ChainedFile(path, _still)
    first.write(_members(2))
    _killed(first)
    with path.open("ab") as file:
        file.write(b'{"n":2,"te')
    assert isinstance(_of(path), Broken)
    second = ChainedFile(path, _still)
    assert second.write(_members(1, 3)) == 1
    found = _of(path)
    assert isinstance(found, Whole)
    assert (found.lines, found.recovered) == (4, 1)
    whole = path.read_bytes()
    assert isinstance(_verified(whole.replace(b'{"n":2,"te\n', b'{"n":2,"tX\n')), Broken)
    assert isinstance(_verified(whole.replace(b'{"n":2,"te\n', b"")), Whole)  # the line says that bytes were torn
    _killed(second)


def test_a_log_that_was_changed_at_its_end_is_not_continued(path: Path) -> None:
    path.write_bytes(_lines(1)[0].replace(b'"n":0', b'"n":9'))
    with pytest.raises(ChainError, match="is not as it was written"):
        ChainedFile(path, _still)


def test_a_log_says_whether_its_process_has_ended_in_order(path: Path) -> None:
    file = ChainedFile(path, _still)
    file.write(_members(2))
    before = _of(path)
    assert isinstance(before, Whole)
    assert not before.is_closed
    file.close()
    found = _of(path)
    assert isinstance(found, Whole)
    assert (found.lines, found.is_closed) == (3, True)
    cut = b"".join(path.read_bytes().splitlines(keepends=True)[:-1])
    whole = _verified(cut)
    assert isinstance(whole, Whole)
    assert not whole.is_closed


def test_what_was_seen_before_must_still_be_there() -> None:
    lines = _lines(5)
    seen = _verified(b"".join(lines[:3]))
    assert isinstance(seen, Whole)
    others = [line for line, _ in Chain(Link()).sealed(_members(5, 7))]

    def found(kept: list[bytes]) -> Whole | Broken:
        return verify([("a.log", io.BytesIO(b"".join(kept)))], None, seen.last)

    assert isinstance(found(lines), Whole)
    assert isinstance(found(lines[:3]), Whole)
    assert isinstance(found(lines[2:]), Whole)
    assert isinstance(found(lines[3:]), Whole)  # what was seen was put away
    assert found(lines[:2]) == Broken("", 0, "lines 3 to 3 of the chain, seen before, are missing")
    assert found(others) == Broken("a.log", 3, "line 3 of the chain is another one than was seen before")
    wrong = "does not follow line 3 as it was seen before"
    assert found(lines[4:]) == Broken("a.log", 1, f"line 5 of the chain {wrong}")
    assert found(others[3:]) == Broken("a.log", 1, f"line 4 of the chain {wrong}")


def test_what_is_on_record_is_synced_once_a_second_and_at_the_end(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    now = [0.0]
    monkeypatch.setattr(os, "fdatasync", synced.append)
    file = ChainedFile(path, lambda: now[0])
    for seconds, times in ((0.0, 0), (0.9, 0), (1.0, 1), (1.9, 1), (2.0, 2)):
        now[0] = seconds
        file.write(_members(1))
        assert len(synced) == times
    file.close()
    assert (len(synced), file.sync_failures) == (3, 0)


def test_a_disk_that_cannot_sync_is_counted(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fdatasync", _refused)
    file = ChainedFile(path, _still)
    assert file.write(_members(1)) == 1
    file.close()
    assert file.sync_failures == 1


def test_each_process_has_a_chain_of_its_own(path: Path) -> None:
    files = [ChainedFile(path, _still), ChainedFile(path, _still), ChainedFile(path, _still)]
    assert [file.path.name for file in files] == ["d.log", "d.log.1", "d.log.2"]
    for file in files:
        file.write(_members(2))
    assert all(isinstance(_of(file.path), Whole) for file in files)
    _killed(files[1])
    again = ChainedFile(path, _still)
    assert (again.path.name, again.last.number) == ("d.log.1", 2)
    for file in (files[0], files[2], again):
        _killed(file)


def test_parts_are_put_away_and_the_chain_goes_on(path: Path) -> None:
    file = ChainedFile(path, _still, most_bytes=300, keeps=2)
    for number in range(12):
        assert file.write(_members(1, number)) == 1
    parts = sorted(path.parent.glob("d.log.0*"))
    assert len(parts) == 2
    found = _of(*parts, path)
    assert isinstance(found, Whole)
    assert found.last.number == 12
    assert found.first.number > 0  # older parts were removed, which it says
    assert isinstance(_of(parts[1], parts[0]), Broken)
    _killed(file)
    path.write_bytes(b"")  # as if the process had ended just after it put a part away
    last = int(parts[-1].suffix[1:])
    again = ChainedFile(path, _still)
    assert (again.last.number, again.write(_members(1))) == (last, 1)
    assert isinstance(_of(*parts, path), Whole)
    _killed(again)


@pytest.fixture(name="room")
def _room(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    room = [1 << 30]
    real = os.write

    def write(descriptor: int, data: memoryview) -> int:
        if room[0] == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        count = real(descriptor, data[: room[0]])
        room[0] -= count
        return count

    monkeypatch.setattr(os, "write", write)
    return room


@pytest.mark.parametrize("can_truncate", [True, False])
@pytest.mark.parametrize("first", [0, 1, 100, 180, 250])
@pytest.mark.parametrize("second", [0, 1, 30])
def test_a_full_disk_loses_lines_and_leaves_no_gap(
    path: Path, room: list[int], monkeypatch: pytest.MonkeyPatch, can_truncate: bool, first: int, second: int
) -> None:
    if not can_truncate:
        monkeypatch.setattr(os, "ftruncate", _refused)
    file = ChainedFile(path, _still)
    file.write(_members(1))
    room[0] = first
    kept = file.write(_members(3, 1))
    assert kept < 3
    room[0] = second
    assert file.write(_members(1, 4)) == 0
    room[0] = 1 << 30
    assert file.write(_members(1, 5)) == 1
    found = _of(path)
    assert isinstance(found, Whole)
    assert found.lines - found.recovered == kept + 2
    _killed(file)


def _refused(*_: object) -> None:
    raise OSError(errno.EPERM, "Operation not permitted")
