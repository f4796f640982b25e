"""`meshproof explain`: any code, by number or by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import run

from meshproof.compiler.checks.registry import all_checks
from meshproof.dsl.problems import LEDGER, Problem


@pytest.mark.parametrize("entry", LEDGER, ids=lambda entry: entry.code)
def test_every_code_has_an_explanation_that_fits(entry: Problem) -> None:
    done = run("explain", entry.code, variables={"COLUMNS": "80"})

    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert lines[0].startswith(entry.code)
    assert len(lines) > 2
    assert max(len(line) for line in lines if not line.startswith(("    ", "|"))) <= 80


def test_a_check_is_explained_by_its_documentation() -> None:
    check = all_checks()[0]

    shown = run("explain", check.code).stdout

    assert [title for title in ("What it does", "Why it matters", "Example", "Precision") if title not in shown] == []


def test_a_code_without_a_check_is_explained_with_what_is_wrong_and_right() -> None:
    assert (
        run("explain", "MP114").stdout
        == """\
MP114 method-without-path (error by default)

A method stands without a path.

An operation is a method and a path. A method alone could mean one path or all; the language asks which.

Wrong:

    service web  { port http 80 }
    service till { port http 80 }
    allow pay: web -> till { GET }

Right:

    service web  { port http 80 }
    service till { port http 80 }
    allow pay: web -> till { GET /** }
"""
    )


@pytest.mark.parametrize("name", ["MP301", "mp301", "overridden-by-deny", "Overridden-By-Deny"])
def test_a_name_is_as_good_as_a_number(name: str) -> None:
    assert run("explain", name).stdout.startswith("MP301 overridden-by-deny (error by default)\n")


def test_without_a_code_all_are_listed_by_kind() -> None:
    done = run("explain")

    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("MP") and ":" not in line[:5]]
    assert listed == [entry.code for entry in LEDGER]
    assert "MP1: Syntax\n" in done.stdout


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("MP3010", "Did you mean `MP310`?"),
        ("shadowd", "Did you mean `shadowed`?"),
        ("xyzzy", "`meshproof explain` lists all."),
        ("", "`meshproof explain` lists all."),
    ],
)
def test_an_unknown_code_ends_with_2(code: str, advice: str) -> None:
    done = run("explain", code)

    assert (done.exit_code, done.stdout) == (2, "")
    assert advice in done.stderr


def test_a_broken_configuration_does_not_keep_anyone_from_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meshproof.toml").write_text("jbos = 3\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    done = run("explain", "MP020", variables={"MESHPROOF_JOBS": "many"})

    assert done.exit_code == 0
    assert done.stdout.startswith("MP020 configuration")


def test_titles_are_strong_where_there_is_colour() -> None:
    assert "\x1b[1mMP301\x1b[0m" in run("explain", "MP301", "--color", "always").stdout
