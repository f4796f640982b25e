"""`query` and `graph` as someone calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.compiler.driver.policies import ENVIRONMENTS, TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.root import root

AS_OF = ("--at", "2026-11-23")
CHAIN = "allow serve: kettle -> spy { GET /cup }\nallow other: namespace far -> spy { GET /cup }\n"


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    path = tmp_path / "tea.mesh"
    path.write_text(TEA + CHAIN, encoding="utf-8")
    return path


def run(*arguments: str | Path, text: str = "") -> Result:
    return CliRunner().invoke(root, [str(argument) for argument in arguments], input=text)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("only shop reaches kettle", 0),
        ("only spy reaches kettle", 1),
        ("shop can call kettle:http POST /boil", 0),
        ("shop -> kettle:http POST /boil => allow by boil", 0),
        ("shop -> kettle:http POST /boil => deny", 1),
        ("shop -> kettle:http POST /boil", 2),
        ("only shop reaches teapot", 2),
        ("nonsense", 2),
    ],
)
def test_a_line_is_judged_as_in_a_policy(line: str, code: int, tea: Path) -> None:
    assert run("query", tea, line, *AS_OF).exit_code == code


def test_the_answer_names_the_question(tea: Path) -> None:
    report = json.loads(run("query", tea, "only spy reaches kettle", *AS_OF, "--output", "json").stdout)

    assert fits("report-v1", report)
    assert [claim["name"] for claim in report["claims"]] == ["only spy reaches kettle"]
    assert report["claims"][0]["witness"]


def test_a_question_is_put_to_every_environment(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(
        ENVIRONMENTS + "allow late: spy -> kettle { GET /x env dev }\n", encoding="utf-8"
    )

    done = run("query", tmp_path, "only shop reaches kettle", *AS_OF)

    assert done.exit_code == 1
    assert "(in dev)" in done.stdout


def test_who_reaches_is_answered_with_calls_and_chains(tea: Path) -> None:
    done = run("query", tea, "--who-reaches", "spy", *AS_OF)

    assert done.exit_code == 0
    assert "kettle -> spy:http by serve" in done.stdout
    assert "shop -> kettle:http by boil -> spy:http by serve" in done.stdout
    assert "spiffe://cluster.local/ns/far/" in done.stdout


def test_reached_by_is_answered_from_the_other_end(tea: Path) -> None:
    answer = json.loads(run("query", tea, "--reached-by", "shop", *AS_OF, "--output", "json").stdout)

    assert fits("query-v1", answer)
    ends = {(one["chain"][-1]["destination"], one["direct"]) for one in answer["answers"]}
    assert ends == {("kettle", True), ("spy", False)}


def test_nobody_is_an_answer(tea: Path) -> None:
    assert run("query", tea, "--who-reaches", "shop", *AS_OF).stdout.startswith("nobody")


@pytest.mark.parametrize(
    "arguments",
    [("--who-reaches", "teapot"), ("--reached-by", "->"), ("--who-reaches", "spy", "--reached-by", "shop"), ()],
)
def test_what_is_no_question_is_refused(arguments: tuple[str, ...], tea: Path) -> None:
    assert run("query", tea, *arguments, *AS_OF).exit_code == 2


def test_a_graph_has_every_node_and_every_call(tea: Path) -> None:
    graph = json.loads(run("graph", tea, "--format", "json", *AS_OF).stdout)

    assert fits("graph-v1", graph)
    assert {node["name"] for node in graph["nodes"]} >= {"shop", "kettle", "spy"}
    calls = {(link["source"], link["destination"], *link["rules"]) for link in graph["links"]}
    assert {("shop", "kettle", "boil"), ("kettle", "spy", "serve")} <= calls


def test_a_graph_is_a_picture_in_two_languages(tea: Path) -> None:
    mermaid = run("graph", tea, *AS_OF).stdout
    dot = run("graph", tea, "--format", "dot", *AS_OF).stdout

    assert mermaid.startswith("flowchart LR\n")
    assert '-->|"http: boil"|' in mermaid
    assert '"shop" -> "kettle" [label="http: boil"]' in dot


def test_names_cannot_break_out_of_a_picture(tmp_path: Path) -> None:
    odd = '"shop\\"]; evil[\\""'
    (tmp_path / "tea.mesh").write_text(TEA.replace("shop", odd), encoding="utf-8")
    mermaid = run("graph", tmp_path, *AS_OF).stdout

    assert "evil[" not in mermaid


def test_svg_is_drawn_by_dot_or_says_what_is_missing(tea: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)

    done = run("graph", tea, "--format", "svg", *AS_OF)

    assert done.exit_code == 2
    assert "needs the program `dot`" in done.stderr
