"""`eval` and `why` as someone calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.compiler.driver.policies import ENVIRONMENTS, TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.root import root

AS_OF = ("--at", "2026-11-23")
LINE = "shop -> kettle:http POST /boil"
REQUEST = json.dumps(
    {
        "source": {"identity": "spiffe://cluster.local/ns/tea/sa/shop"},
        "destination": {"service": "kettle"},
        "port": 8080,
        "method": "POST",
        "path": "/boil",
    }
)


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    path = tmp_path / "tea.mesh"
    path.write_text(TEA, encoding="utf-8")
    return path


def run(*arguments: str | Path, text: str = "") -> Result:
    return CliRunner().invoke(root, [str(argument) for argument in arguments], input=text)


def test_each_line_is_answered_and_a_bad_one_does_not_stop_the_others(tea: Path) -> None:
    done = run("eval", tea, *AS_OF, "--requests", "-", text=f"{REQUEST}\nnonsense\n\n{REQUEST}\n")

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer.get("decision", "error") for answer in answers] == ["allow", "error", "allow"]
    assert done.exit_code == 2


def test_requests_come_from_a_file(tea: Path, tmp_path: Path) -> None:
    (tmp_path / "requests").write_text(REQUEST, encoding="utf-8")

    done = run("eval", tea, *AS_OF, "--requests", tmp_path / "requests")

    assert done.exit_code == 0
    assert json.loads(done.stdout)["by"] == "boil"


def test_a_line_that_is_too_long_is_refused_and_the_next_one_is_read(
    tea: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MESHPROOF_MAX_FILE_BYTES", "2 KiB")

    done = run("eval", tea, *AS_OF, "--requests", "-", text=f"{'x' * 5000}\n{REQUEST}\n")

    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer.get("decision", "error") for answer in answers] == ["error", "allow"]


def test_a_policy_that_cannot_be_read_says_so_on_stderr_and_answers_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.mesh").write_text("mesh", encoding="utf-8")

    done = run("eval", tmp_path, *AS_OF, "--requests", "-", text=REQUEST)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "error[MP1" in done.stderr


def test_where_there_are_environments_one_is_needed(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(ENVIRONMENTS, encoding="utf-8")

    assert run("eval", tmp_path, *AS_OF, "--requests", "-", text=REQUEST).exit_code == 2
    assert run("eval", tmp_path, *AS_OF, "--env", "dev", "--requests", "-", text=REQUEST).exit_code == 0


def test_files_of_requests_that_are_not_there_are_refused(tea: Path) -> None:
    assert run("eval", tea, *AS_OF, "--requests", "nowhere").exit_code == 2
    assert run("eval", "-", *AS_OF, "--requests", "-", text=TEA).exit_code == 2


@pytest.mark.parametrize("request_text", [LINE, REQUEST, f"{LINE} => deny"])
def test_why_names_the_rule_its_line_and_what_it_became(request_text: str, tea: Path) -> None:
    done = run("why", tea, request_text, *AS_OF)

    assert done.exit_code == 0, done.output
    assert "allow by boil" in done.stdout
    assert "allow boil: shop -> kettle" in done.stdout
    assert "= emitted: istio: AuthorizationPolicy tea/" in done.stdout


def test_why_takes_a_file(tea: Path, tmp_path: Path) -> None:
    (tmp_path / "request").write_text(REQUEST, encoding="utf-8")

    assert "allow by boil" in run("why", tea, f"@{tmp_path}/request", *AS_OF).stdout
    assert run("why", tea, "@nowhere", *AS_OF).exit_code == 2


def test_why_shows_the_nearest_misses(tea: Path) -> None:
    done = run("why", tea, "spy -> kettle:http GET /level", *AS_OF)

    assert "deny at default" in done.stdout
    assert "source: needs shop, has spy" in done.stdout


@pytest.mark.parametrize("line", [LINE, "spy -> kettle:http GET /x", "plaintext -> kettle:http GET /"])
def test_why_as_json_fits_its_schema(line: str, tea: Path) -> None:
    answer = json.loads(run("why", tea, line, *AS_OF, "--output", "json").stdout)

    assert fits("why-v1", answer)
    assert answer["answers"][0]["request"]["destination"] == {"service": "kettle"}


@pytest.mark.parametrize("text", ["nonsense", "{", "only shop reaches kettle", "shop -> nowhere:http GET /"])
def test_why_refuses_what_is_no_request_with_a_place(text: str, tea: Path) -> None:
    done = run("why", tea, text, *AS_OF)

    assert (done.exit_code, done.stdout) == (2, "")
    assert "<request>:1:" in done.stderr


def test_why_needs_a_policy_and_a_request(tea: Path) -> None:
    assert run("why", tea).exit_code == 2
