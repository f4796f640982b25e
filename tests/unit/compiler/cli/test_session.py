"""What a run begins with: settings from files, variables and flags, and the way out."""

from __future__ import annotations

import json
import os
from datetime import date, datetime, tzinfo
from pathlib import Path

import click
import pytest
from tests.unit.compiler.cli.running import run
from tests.unit.compiler.driver.policies import CLAIM, TEA, TEST
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.session import Session, open_session, start_of
from meshproof.compiler.report.exit_code import ExitCode
from meshproof.compiler.report.model import Report

UNKNOWN_KEY = "# ours\nfail-levle = 'warning'\n"


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    """A policy with one finding at the level of notes when `test --coverage` looks at it."""
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "policy"
    folder.mkdir()
    (folder / "tea.mesh").write_text(TEA + CLAIM, encoding="utf-8")
    return folder


def opened(**flags: object) -> Session:
    return open_session("check", (os.devnull,), flags)


def exit_of(folder: Path, *flags: str, variables: dict[str, str] | None = None) -> int:
    return run("test", folder, "--at", "2026-11-23", "--coverage", *flags, variables=variables).exit_code


class Clock(datetime):
    """A clock that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Clock:
        return cls(2027, 2, 1, 23, 59, tzinfo=tz)


def test_the_day_is_the_one_given_else_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("meshproof.compiler.cli.session.datetime", Clock)

    assert opened(at="2026-11-23").day == date(2026, 11, 23)
    assert opened().day == date(2027, 2, 1)


def test_quiet_and_verbose_are_looks() -> None:
    assert [opened(**{flag: True}).out.verbosity for flag in ("quiet", "fast", "verbose")] == [-1, 0, 1]


@pytest.mark.parametrize(
    ("paths", "folder"),
    [((), Path.cwd()), (("-",), Path.cwd()), (("-", "a/b.mesh"), Path("a")), (("x.mesh", "a/b.mesh"), Path())],
)
def test_the_configuration_is_looked_for_where_the_first_path_is(paths: tuple[str, ...], folder: Path) -> None:
    assert start_of(paths) == folder


def test_a_folder_is_where_its_configuration_is(tea: Path) -> None:
    assert start_of((str(tea),)) == tea


def test_flags_win_over_variables_and_those_over_the_file(tea: Path) -> None:
    assert exit_of(tea) == 0

    (tea.parent / "meshproof.toml").write_text("fail-level = 'info'\n", encoding="utf-8")

    assert exit_of(tea) == 1
    assert exit_of(tea, variables={"MESHPROOF_FAIL_LEVEL": "error"}) == 0
    assert exit_of(tea, "--fail-level", "info", variables={"MESHPROOF_FAIL_LEVEL": "error"}) == 1


def test_a_list_in_a_variable_has_commas(tea: Path) -> None:
    level = ("--fail-level", "info")

    assert exit_of(tea, *level, variables={"MESHPROOF_IGNORE": "MP301, MP607"}) == 0
    assert exit_of(tea, *level, variables={"MESHPROOF_IGNORE": "MP301"}) == 1


def test_an_unknown_key_ends_with_2_at_its_place(tea: Path) -> None:
    (tea / "meshproof.toml").write_text(UNKNOWN_KEY, encoding="utf-8")

    done = run("check", tea)

    assert (done.exit_code, done.stderr) == (2, "")
    assert "error[MP020]: unknown key `fail-levle`" in done.stdout
    assert "meshproof.toml:2:1" in done.stdout
    assert "= help: did you mean `fail-level`?" in done.stdout


def test_a_bad_configuration_is_reported_in_the_format_that_was_asked_for(tea: Path) -> None:
    (tea / "meshproof.toml").write_text(UNKNOWN_KEY, encoding="utf-8")

    done = run("check", tea, "--output", "json")

    report = json.loads(done.stdout)
    assert fits("report-v1", report)
    assert [finding["code"] for finding in report["findings"]] == ["MP020"]
    assert report["summary"]["exit_code"] == done.exit_code == 2


@pytest.mark.parametrize(
    ("flags", "variables", "said"),
    [
        (("--at", "soon"), {}, "`--at`: `soon` is no day as YYYY-MM-DD"),
        (("--jobs", "none"), {}, "`--jobs`: `none` is not a whole number"),
        (("--timeout", "-1s"), {}, "`--timeout`: `-1s` is no duration"),
        (("--select", "X1"), {}, "`--select`: `X1` is neither a code"),
        (("--output", "xml"), {}, "--output: there is no format `xml`; there is `csv`, `github`"),
        ((), {"MESHPROOF_AT": "tomorrow"}, "`MESHPROOF_AT`: `tomorrow` is no day as YYYY-MM-DD"),
        ((), {"MESHPROOF_STRICT": "perhaps"}, "`MESHPROOF_STRICT`: `perhaps` is neither `true` nor `false`"),
        (("--fail-level", "fatal"), {}, "'fatal' is not one of 'error', 'warning', 'info'"),
    ],
)
def test_a_value_that_cannot_be_is_a_usage_error(
    flags: tuple[str, ...], variables: dict[str, str], said: str, tea: Path
) -> None:
    done = run("check", tea, *flags, variables=variables)

    assert (done.exit_code, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_bad_flag_beside_a_bad_file_is_a_usage_error_too(tea: Path) -> None:
    (tea / "meshproof.toml").write_text(UNKNOWN_KEY, encoding="utf-8")

    done = run("check", tea, "--at", "soon")

    assert (done.exit_code, done.stdout) == (2, "")
    assert "`--at`" in done.stderr


def test_the_limit_of_a_file_is_a_setting(tea: Path) -> None:
    (tea / "pyproject.toml").write_text("[tool.meshproof]\nmax-file-bytes = '100 B'\n", encoding="utf-8")

    done = run("check", tea)

    assert done.exit_code == 2
    assert "error[MP004]: `tea.mesh` is larger than 100 bytes" in done.stdout


def test_what_cannot_be_judged_is_said_on_stderr_where_stdout_is_for_answers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = opened()

    with pytest.raises(click.exceptions.Exit) as left:
        session.refuse(Report("eval", is_judged=False))

    out, err = capsys.readouterr()
    assert left.value.exit_code == ExitCode.NOT_JUDGED
    assert (out, err) == ("", "nothing was judged: 0 errors\n")


def test_the_exit_code_is_the_same_in_every_format(tmp_path: Path) -> None:
    failing = TEST.replace("allow by boil", "deny")
    codes = {}
    for name, text in (("clean", TEA), ("found", TEA + failing), ("unreadable", "mesh")):
        policy = tmp_path / f"{name}.mesh"
        policy.write_text(text, encoding="utf-8")
        codes[name] = {
            run("test", policy, "--at", "2026-11-23", *output).exit_code
            for output in ((), ("--output", "json"), ("--output", f"json={tmp_path}/report"), ("-q",), ("-v",))
        }

    assert codes == {"clean": {0}, "found": {1}, "unreadable": {2}}
