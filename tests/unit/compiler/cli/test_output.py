"""Where reports go: stdout, files that are whole or not there, and readers that have left."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import click
import pytest
from tests.unit.compiler.cli.running import AS_OF, run, shell
from tests.unit.compiler.driver.policies import CLAIM, SPY, TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.output import destinations, write_exactly, write_out


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    path = tmp_path / "tea.mesh"
    path.write_text(TEA, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ((), [("human", None)]),
        (("human",), [("human", None)]),
        (("json",), [("json", None)]),
        (("json=a",), [("human", None), ("json", "a")]),
        (("json=a=b",), [("human", None), ("json", "a=b")]),
        (("human", "json=a", "json=b"), [("human", None), ("json", "a"), ("json", "b")]),
    ],
)
def test_people_get_their_report_unless_something_else_goes_to_stdout(
    outputs: tuple[str, ...], expected: list[tuple[str, str | None]]
) -> None:
    wanted = destinations(outputs)

    assert [(one.format.name, str(one.file) if one.file else None) for one in wanted] == expected


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        (("jsn",), "there is no format `jsn`; did you mean `json`?"),
        (("xml=a",), "there is no format `xml`; there is `csv`, `github`, `gitlab`, `human`"),
        (("",), "there is no format ``"),
        (("json=",), "`json=` names no file"),
        (("json", "human"), "two reports go to stdout"),
        (("json=a", "human=a"), "two reports go to a"),
    ],
)
def test_what_cannot_be_meant_is_refused(outputs: tuple[str, ...], said: str) -> None:
    with pytest.raises(click.UsageError) as refusal:
        destinations(outputs)

    assert said in refusal.value.message


def test_a_report_goes_to_each_place_and_folders_are_made(tea: Path, tmp_path: Path) -> None:
    file = tmp_path / "reports" / "of" / "tea.json"

    done = run("check", tea, *AS_OF, "--output", f"json={file}")

    assert done.stdout.startswith("tea as of 2026-11-23: no findings")
    assert fits("report-v1", json.loads(file.read_text(encoding="utf-8")))


def test_a_report_for_people_in_a_file_is_plain_and_unbroken(tea: Path, tmp_path: Path) -> None:
    tea.write_text("mesh", encoding="utf-8")

    done = run("check", tea, "--color", "always", "--output", f"human={tmp_path}/report", "--output", "human")

    text = (tmp_path / "report").read_text(encoding="utf-8")
    assert "\x1b[" in done.stdout
    assert "error[MP1" in text
    assert "\x1b[" not in text


def test_a_file_is_replaced_whole_and_keeps_its_permissions(tea: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("x" * 100_000, encoding="utf-8")
    file.chmod(0o640)

    run("check", tea, *AS_OF, "--output", f"json={file}")

    assert fits("report-v1", json.loads(file.read_text(encoding="utf-8")))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "tea.mesh"]


def test_a_file_that_cannot_be_written_ends_with_2_and_leaves_nothing(tea: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("kept", encoding="utf-8")

    for place in ("folder", "file/report.json"):
        done = run("check", tea, *AS_OF, "--output", f"json={tmp_path / place}")
        assert done.exit_code == 2
        assert f"--output: cannot write {tmp_path / place}: " in done.stderr

    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder", "tea.mesh"]
    assert (tmp_path / "file").read_text(encoding="utf-8") == "kept"


def test_a_device_is_written_to_and_not_replaced(tea: Path) -> None:
    done = run("check", tea, *AS_OF, "--output", "json=/dev/null")

    assert done.exit_code == 0, done.stderr
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@pytest.mark.parametrize(
    ("variables", "flags", "expected"),
    [
        ({}, (), False),
        ({"FORCE_COLOR": "1"}, (), True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, (), False),
        ({"NO_COLOR": "1"}, ("--color", "always"), True),
        ({"FORCE_COLOR": "1"}, ("--color", "never"), False),
        ({"MESHPROOF_COLOR": "always"}, (), True),
    ],
)
def test_colour_is_used_where_it_is_wanted(
    variables: dict[str, str], flags: tuple[str, ...], expected: bool, tea: Path
) -> None:
    tea.write_text("mesh", encoding="utf-8")

    assert ("\x1b[" in run("check", tea, *flags, variables=variables).stdout) is expected


def test_lines_are_broken_to_columns_and_to_nothing_else(tea: Path) -> None:
    tea.write_text(TEA.replace("POST /boil", f"POST /{'x' * 150}  POST boil"), encoding="utf-8")

    narrow = run("check", tea, variables={"COLUMNS": "60"}).stdout.splitlines()
    wide = run("check", tea).stdout.splitlines()

    assert max(map(len, narrow)) <= 60
    assert max(map(len, wide)) > 150


def test_a_reader_that_has_left_changes_nothing(tea: Path) -> None:
    done = shell('{ "$0" check "$1" --at 2026-11-23 --output json; echo "ended with $?" >&2; } | true', tea)

    assert done.stderr == "ended with 0\n"


def test_a_closed_stdout_changes_nothing(tea: Path) -> None:
    tea.write_text("mesh", encoding="utf-8")

    done = shell('"$0" check "$1" --at 2026-11-23 >&-', tea)

    assert (done.returncode, done.stderr) == (2, "")


def test_a_closed_stdout_or_stderr_is_never_another_file(tea: Path, tmp_path: Path) -> None:
    before = tea.read_bytes()

    done = shell('"$0" check "$1" --at 2026-11-23 --output "json=$2" --output human >&- 2>&- <&-', tea, tmp_path / "r")

    assert done.returncode == 0
    assert tea.read_bytes() == before
    assert fits("report-v1", json.loads((tmp_path / "r").read_text(encoding="utf-8")))


def test_a_closed_stdin_is_an_empty_one() -> None:
    done = shell('"$0" check - --at 2026-11-23 <&-')

    assert done.returncode == 2
    assert "error[MP205]: the policy has no `mesh` block" in done.stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_ends_with_2_and_one_sentence(tea: Path) -> None:
    done = shell('"$0" check "$1" --at 2026-11-23 >/dev/full', tea)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "Error: cannot write to stdout: No space left on device"


@pytest.mark.parametrize(("charset", "human"), [("utf-8", "th\xe9.mesh:1:1"), ("ascii", r"th\xe9.mesh:1:1")])
def test_json_is_utf_8_and_people_get_what_their_terminal_can_show(charset: str, human: str, tmp_path: Path) -> None:
    policy = tmp_path / "th\xe9.mesh"
    policy.write_text("teapot", encoding="utf-8")
    script = f'PYTHONIOENCODING={charset} "$0" check "$1" --output'

    assert human in shell(f"{script} human", policy).stdout
    assert json.loads(shell(f"{script} json", policy).stdout)["findings"][0]["path"] == "th\xe9.mesh"


def test_what_is_printed_comes_after_what_was_printed_before(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print("one", end=" ")  # noqa: T201  what is still in the buffer
    write_out("two ")
    write_exactly("three\n")

    assert capfdbinary.readouterr().out == b"one two three\n"


def test_other_tools_know_files_by_their_path_in_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "policies" / "tea"
    folder.mkdir(parents=True)
    (folder / "tea.mesh").write_text(TEA + SPY + CLAIM, encoding="utf-8")

    done = run("prove", folder, *AS_OF, "--output", "github")

    assert done.stdout.startswith("::error file=policies/tea/tea.mesh,line=")


@pytest.mark.parametrize("name", ["sarif", "junit", "github", "gitlab", "markdown", "csv"])
def test_a_comparison_has_none_of_the_formats_of_others(name: str, tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")

    done = run("diff", tmp_path, tmp_path, *AS_OF, "--output", name)

    assert done.exit_code == 2
    assert f"a comparison has no format `{name}`; there is `human` and `json`" in done.stderr
    assert done.stdout == ""


def test_who_reaches_whom_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")

    done = run("query", tmp_path, "--who-reaches", "kettle", *AS_OF, "--output", f"json={tmp_path / 'ways.json'}")

    assert done.exit_code == 0
    assert done.stdout.startswith("Calls")
    assert fits("query-v1", json.loads((tmp_path / "ways.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("command", ["diff", "why"])
def test_what_is_set_for_all_commands_leaves_those_alone_that_have_no_such_format(command: str, tea: Path) -> None:
    last = tea if command == "diff" else "shop -> kettle:http POST /boil"

    done = run(command, tea, last, *AS_OF, variables={"MESHPROOF_OUTPUT": "sarif"})

    assert done.exit_code == 0, done.output
    assert "{" not in done.stdout.splitlines()[0]


def test_an_explanation_goes_where_it_is_asked_for(tea: Path, tmp_path: Path) -> None:
    file = tmp_path / "why.json"

    done = run("why", tea, "shop -> kettle:http POST /boil", *AS_OF, "--output", "human", "--output", f"json={file}")

    assert done.exit_code == 0, done.output
    assert "allow by boil" in done.stdout
    assert fits("why-v1", json.loads(file.read_text(encoding="utf-8")))
