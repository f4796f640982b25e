"""A decision log is whole, or the command says where it is not; its codes and its JSON are for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from meshproof.runtime.cli import main
from meshproof.runtime.telemetry.chained_file import ChainedFile

KEY = b"0123456789abcdef0123456789abcdef"


@pytest.fixture(name="log")
def _log(tmp_path: Path) -> Path:
    """That of two workers; the first one has put parts away."""
    path = tmp_path / "decisions.jsonl"
    files = [ChainedFile(path, float, most_bytes=600, keeps=9), ChainedFile(path, float)]
    for number in range(9):
        for file in files:
            file.write((f'{{"n":{number}',))
    for file in files:
        file.close()
    return path


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["verify-log", *map(str, arguments)])
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def _json(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, Any]:
    code, out, _ = _run(capsys, *arguments, "--output", "json")
    return code, json.loads(out)["chains"]


def test_a_whole_log_is_said_to_be_whole(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(capsys, log, "--closed")
    assert code == 0
    assert [line.partition(", last hash")[0] for line in out.splitlines()] == [
        "decisions.jsonl: whole: lines 1 to 10, closed",
        "decisions.jsonl.1: whole: lines 1 to 10, closed",
    ]
    code, chains = _json(capsys, log)
    assert code == 0
    assert {name: (one["is_whole"], one["first"], one["last"]) for name, one in chains.items()} == {
        "decisions.jsonl": (True, 1, 10),
        "decisions.jsonl.1": (True, 1, 10),
    }


def test_a_changed_line_is_said_with_its_place(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = log.with_name("decisions.jsonl.1")
    other.write_bytes(other.read_bytes().replace(b'"n":4', b'"n":5'))
    code, out, _ = _run(capsys, log)
    assert code == 1
    said = "decisions.jsonl.1: broken at decisions.jsonl.1:5: this is not the line that was written"
    assert out.splitlines()[1] == said
    code, chains = _json(capsys, log)
    assert (code, chains["decisions.jsonl"]["is_whole"]) == (1, True)
    why = "this is not the line that was written"
    assert chains["decisions.jsonl.1"] == {"is_whole": False, "file": "decisions.jsonl.1", "line": 5, "why": why}


def test_a_part_that_is_missing_shows(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = sorted(log.parent.glob("decisions.jsonl.0*[0-9]"))
    assert len(parts) > 1
    kept = parts[0].read_bytes()
    parts[0].unlink()
    code, out, _ = _run(capsys, log)
    assert code == 1
    assert "are missing" in out.splitlines()[0]
    assert _run(capsys, log, "--part")[0] == 0
    parts[0].write_bytes(kept)
    parts[1].unlink()
    assert _run(capsys, log, "--part")[0] == 1


def test_an_end_that_is_cut_off_shows(log: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    _, out, _ = _run(capsys, log, "--output", "json")
    seen = tmp_path / "seen.json"
    seen.write_text(out, encoding="ascii")
    other = log.with_name("decisions.jsonl.1")
    lines = other.read_bytes().splitlines(keepends=True)
    other.write_bytes(b"".join(lines[:-1]))
    code, chains = _json(capsys, log)
    why = "lines 10 to 10 of the chain, which were written, are missing"
    assert (code, chains["decisions.jsonl.1"]["why"]) == (1, why)
    head = log.with_name("decisions.jsonl.1.lock")
    head.unlink()
    assert _run(capsys, log)[0] == 0  # a chain alone does not say where it ends
    assert _run(capsys, log, "--closed")[0] == 1
    code, chains = _json(capsys, log, "--since", seen)
    assert code == 1
    assert chains["decisions.jsonl.1"]["why"] == "lines 10 to 10 of the chain, seen before, are missing"
    other.unlink()
    assert _run(capsys, log, "--closed")[0] == 0
    code, chains = _json(capsys, log, "--since", seen)
    assert (code, chains["decisions.jsonl.1"]["why"]) == (1, "the chain, seen before, is missing")


def test_a_chain_that_is_gone_and_its_head_is_not_shows(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.with_name("decisions.jsonl.1").unlink()
    code, chains = _json(capsys, log)
    why = "the chain, which its process has written, is missing"
    assert (code, chains["decisions.jsonl.1"]["why"]) == (1, why)


def test_another_end_than_was_written_shows(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = log.with_name("other.jsonl")
    file = ChainedFile(other, float)
    file.write(tuple(f'{{"n":{number}' for number in range(10)))
    log.with_name("decisions.jsonl.1").write_bytes(other.read_bytes())
    code, chains = _json(capsys, log)
    why = "line 10 of the chain is another one than its process has written"
    assert (code, chains["decisions.jsonl.1"]["why"]) == (1, why)
    file.close()


def test_an_end_that_was_cut_off_while_no_process_ran_stays_told(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = log.with_name("decisions.jsonl.1")
    other.write_bytes(b"".join(other.read_bytes().splitlines(keepends=True)[:6]))
    files = [ChainedFile(log, float), ChainedFile(log, float)]
    for file in files:
        file.write(['{"n":9'] * 20)
        file.close()
    code, chains = _json(capsys, log, "--closed")
    assert (code, chains["decisions.jsonl"]["is_whole"]) == (1, True)
    assert chains["decisions.jsonl.1"]["why"] == "lines 7 to 10 were missing when its process started"
    assert _run(capsys, log, "--closed", "--part")[0] == 0


def test_only_who_has_the_key_makes_a_chain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, key = tmp_path / "d.log", tmp_path / "key"
    key.write_bytes(KEY + b"\n")
    file = ChainedFile(path, float, KEY)
    file.write(('{"n":1',))
    file.close()
    assert _run(capsys, path, "--key", key)[0] == 0
    assert _run(capsys, path)[0] == 1
    key.write_bytes(b"short")
    code, _, err = _run(capsys, path, "--key", key)
    assert (code, err) == (2, f"meshproof-proxy: `{key}` does not hold 32 to 4096 bytes, as a key does\n")


def test_a_process_that_has_told_nothing_yet_breaks_nothing(log: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log.with_name("decisions.jsonl.2").touch()
    code, chains = _json(capsys, log)
    assert (code, sorted(chains)) == (0, ["decisions.jsonl", "decisions.jsonl.1"])


@pytest.mark.parametrize("text", ["", "[]", '{"chains":{"a":{"is_whole":true,"last":1,"last_hash":"x"}}}'])
def test_what_cannot_be_read_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    code, _, err = _run(capsys, tmp_path / "none")
    assert (code, "is not there" in err) == (2, True)
    code, _, err = _run(capsys, tmp_path / "no" / "where")
    assert (code, "cannot be read" in err) == (2, True)
    code, _, err = _run(capsys, tmp_path / "none", "--key", tmp_path / "nokey")
    assert (code, "cannot be read" in err) == (2, True)
    seen = tmp_path / "seen"
    seen.write_text(text, encoding="ascii")
    code, _, err = _run(capsys, tmp_path / "none", "--since", seen)
    assert (code, "is not what `verify-log --output json` has written" in err) == (2, True)


def test_nothing_is_compared_with_what_was_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = tmp_path / "seen"
    seen.write_text('{"chains":{"a":{"is_whole":false}}}', encoding="ascii")
    code, _, err = _run(capsys, tmp_path / "none", "--since", seen)
    assert (code, "nothing to compare with" in err) == (2, True)
