"""Whatever somebody gives to the command: an error with a place, status 2, no traceback, and nothing left behind."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from tests.unit.compiler.cli.broken import ALL, SOUND, Broken
from tests.unit.compiler.cli.running import AS_OF, run
from tests.unit.compiler.report.schemas import fits

ANSWERS = Path(__file__).with_name("broken_inputs.txt")
"""What people read, one after another; `--update-golden` writes it."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a repository, in which the command is called."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ids(case: Broken) -> str:
    return case.name.replace(" ", "-")


def test_there_are_enough_and_each_has_a_name() -> None:
    assert len({case.name for case in ALL}) == len(ALL) >= 80
    assert len({case.code for case in ALL}) >= 50


@pytest.mark.parametrize("case", ALL, ids=ids)
def test_it_is_answered_with_its_code_and_place(case: Broken, here: Path) -> None:
    case.make(here)

    done = run("check", *case.arguments, *AS_OF)

    assert (done.exit_code, done.stderr) == (2, "")
    assert re.search(rf"^error\[{case.code}\]: .*\n +┌─ {re.escape(case.place)}$", done.stdout, re.MULTILINE)
    assert re.search(r"^nothing was judged: \d+ errors?$", done.stdout.splitlines()[-1])
    assert "Traceback" not in done.output
    assert len(done.output) < 5000


@pytest.mark.parametrize("case", ALL, ids=ids)
def test_as_json_it_is_the_same_and_fits_the_schema(case: Broken, here: Path) -> None:
    case.make(here)

    done = run("check", *case.arguments, *AS_OF, "--output", "json")

    report = json.loads(done.stdout)
    assert fits("report-v1", report)
    assert done.exit_code == report["summary"]["exit_code"] == 2
    file = case.place.partition(":")[0]
    assert (case.code, file) in {(finding["code"], finding["path"]) for finding in report["findings"]}


@pytest.mark.parametrize("case", ALL, ids=ids)
def test_nothing_is_compiled_and_no_folder_is_left_behind(case: Broken, here: Path) -> None:
    case.make(here)
    before = sorted(here.rglob("*"))

    done = run("compile", *case.arguments, *AS_OF, "--target", "istio", "--out", "out")

    assert done.exit_code == 2
    assert "Traceback" not in done.output
    assert sorted(here.rglob("*")) == before


def test_what_people_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, update_golden: bool) -> None:
    answers = []
    for number, case in enumerate(ALL):
        folder = tmp_path / str(number)
        (folder / ".git").mkdir(parents=True)
        monkeypatch.chdir(folder)
        case.make(folder)
        shown = run("check", *case.arguments, *AS_OF, variables={"COLUMNS": "100"}).stdout
        answers.append(f"# {case.name}\n\n{shown}")
    text = "\n".join(answers)

    if update_golden:
        ANSWERS.write_text(text, encoding="utf-8")
    assert text == ANSWERS.read_text(encoding="utf-8")


def test_a_file_that_may_not_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "policy.mesh").write_text(SOUND, encoding="utf-8")
    opened = os.open

    def forbidden(path: str | Path, flags: int, mode: int = 0o777) -> int:
        if str(path).endswith("policy.mesh"):
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, mode)

    monkeypatch.setattr("os.open", forbidden)

    done = run("check", ".", *AS_OF)

    assert done.exit_code == 2
    assert "error[MP001]: `policy.mesh` cannot be read: permission denied\n  ┌─ policy.mesh\n" in done.stdout


def test_a_folder_that_may_not_be_read(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "inner").mkdir()
    (here / "policy.mesh").write_text(SOUND, encoding="utf-8")
    scanned = os.scandir

    def forbidden(path: str | Path) -> object:
        if str(path).endswith("inner"):
            raise PermissionError(13, "Permission denied")
        return scanned(path)

    monkeypatch.setattr("os.scandir", forbidden)

    done = run("check", ".", *AS_OF)

    assert done.exit_code == 2
    assert "error[MP001]: `inner` cannot be read: permission denied" in done.stdout


@pytest.mark.parametrize(
    "text", [SOUND.replace("\n", "\r\n"), f"\ufeff{SOUND}", SOUND + "\n" * 1000, f"{SOUND}#{'x' * 1_000_000}\n"]
)
def test_what_only_looks_odd_is_taken(text: str, here: Path) -> None:
    (here / "policy.mesh").write_text(text, encoding="utf-8", newline="")

    done = run("check", ".", *AS_OF)

    assert done.exit_code == 0, done.output


def test_a_policy_from_stdin_may_be_broken_too() -> None:
    assert "┌─ <stdin>:1:1" in run("check", "-", *AS_OF, text="alow x\n").stdout
    assert "error[MP002]: `<stdin>`" in run("check", "-", *AS_OF, text=b"\xff\xfe\x00").stdout
    assert "error[MP003]: `<stdin>`" in run("check", "-", *AS_OF, text=b"a\0b").stdout
    done = run("check", "-", *AS_OF, text=SOUND, variables={"MESHPROOF_MAX_FILE_BYTES": "100"})
    assert "error[MP004]: `<stdin>` is larger than 100 bytes" in done.stdout
