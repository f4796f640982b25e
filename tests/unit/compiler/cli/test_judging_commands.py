"""`check`, `prove`, `test` and `compile` as someone calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.compiler.driver.policies import CLAIM, ENVIRONMENTS, SPY, TEA, TEST
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.root import root

AS_OF = ("--at", "2026-11-23")


@pytest.fixture
def tea(tmp_path: Path) -> Path:
    return written(tmp_path, TEA, CLAIM, TEST)


def written(folder: Path, *parts: str) -> Path:
    path = folder / "tea.mesh"
    path.write_text("".join(parts), encoding="utf-8")
    return path


def run(*arguments: str | Path, text: str = "") -> Result:
    return CliRunner().invoke(root, [str(argument) for argument in arguments], input=text)


@pytest.mark.parametrize("command", ["check", "prove", "test"])
def test_a_good_policy_ends_with_0(command: str, tea: Path) -> None:
    done = run(command, tea, *AS_OF)

    assert done.exit_code == 0, done.output
    assert "tea as of 2026-11-23: no findings" in done.stdout


@pytest.mark.parametrize(("command", "code"), [("check", 1), ("prove", 1), ("test", 0)])
def test_a_refuted_claim_ends_with_1(command: str, code: int, tmp_path: Path) -> None:
    done = run(command, written(tmp_path, TEA, SPY, CLAIM, TEST), *AS_OF)

    assert done.exit_code == code, done.output


def test_what_refutes_a_claim_is_decided_so_by_eval(tmp_path: Path) -> None:
    policy = written(tmp_path, TEA, SPY, CLAIM)
    report = json.loads(run("check", policy, *AS_OF, "--output", "json").stdout)
    witness = json.dumps(report["claims"][0]["witness"][0])

    decided = json.loads(run("eval", policy, *AS_OF, "--requests", "-", text=witness + "\n").stdout)

    assert (decided["decision"], decided["by"]) == ("allow", "peek")


@pytest.mark.parametrize("command", ["check", "prove", "test"])
def test_a_policy_that_cannot_be_read_ends_with_2(command: str, tmp_path: Path) -> None:
    done = run(command, written(tmp_path, TEA, "allow"), *AS_OF)

    assert done.exit_code == 2
    assert "error[MP1" in done.stdout
    assert "nothing was judged" in done.stdout


def test_the_report_as_json_fits_its_schema_whatever_is_in_it(tmp_path: Path) -> None:
    policy = written(tmp_path, TEA, SPY, CLAIM, TEST.replace("allow by boil", "deny"))

    for command in ("check", "prove", "test"):
        report = json.loads(run(command, policy, *AS_OF, "--output", "json").stdout)
        assert fits("report-v1", report)
        assert report["command"] == command


def test_stdin_is_a_policy_too() -> None:
    done = run("check", "-", *AS_OF, text=TEA)

    assert done.exit_code == 0, done.output


def test_stdin_is_read_once(tea: Path) -> None:
    assert run("check", "-", "-", tea).exit_code == 2


def test_one_environment_or_all(tmp_path: Path) -> None:
    policy = written(tmp_path, ENVIRONMENTS, CLAIM)

    assert "tea in dev, prod as of" in run("check", policy, *AS_OF).stdout
    assert "tea in prod as of" in run("check", policy, *AS_OF, "--env", "prod").stdout
    assert run("check", policy, *AS_OF, "--env", "moon").exit_code == 2


@pytest.mark.parametrize(("name", "code"), [("only the shop boils", 0), ("only the", 0), ("only the chef", 2)])
def test_only_takes_a_title_or_its_beginning(name: str, code: int, tea: Path) -> None:
    assert run("prove", tea, *AS_OF, "--only", name).exit_code == code


def test_coverage_lists_untested_rules(tmp_path: Path) -> None:
    done = run("test", written(tmp_path, TEA, SPY, TEST), *AS_OF, "--coverage")

    assert done.exit_code == 0
    assert "no test has a request that rule `peek` decides" in done.stdout


def test_the_level_that_fails_can_be_lowered(tmp_path: Path) -> None:
    policy = written(tmp_path, TEA, SPY, TEST)

    assert run("test", policy, *AS_OF, "--coverage", "--fail-level", "info").exit_code == 1


def test_compile_writes_files_and_says_which(tea: Path, tmp_path: Path) -> None:
    done = run("compile", tea, *AS_OF, "--target", "istio", "--out", tmp_path / "out")

    assert done.exit_code == 0, done.output
    assert "manifests/tea/authorization-policy.yaml" in done.stdout
    assert (tmp_path / "out/meshproof.lock").is_file()


def test_compile_of_a_refuted_policy_leaves_nothing_behind(tmp_path: Path) -> None:
    policy = written(tmp_path, TEA, SPY, CLAIM)

    done = run("compile", policy, *AS_OF, "--target", "istio", "--out", tmp_path / "out")

    assert done.exit_code == 1
    assert "nothing was written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["tea.mesh"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "isto"), "did you mean `istio`?"),
        (("--target", "istio", "--option", "itsio.x=1"), "did you mean `istio`?"),
        (("--target", "istio", "--option", "istio.x"), "KEY=VALUE"),
        ((), "--target"),
    ],
)
def test_compile_refuses_what_it_does_not_know(arguments: tuple[str, ...], said: str, tea: Path) -> None:
    done = run("compile", tea, *AS_OF, "--out", tea.parent / "out", *arguments)

    assert done.exit_code == 2
    assert said in done.stderr
    assert not (tea.parent / "out").exists()


@pytest.mark.parametrize("command", ["check", "prove", "test", "graph"])
def test_an_option_for_no_target_is_refused_and_not_ignored(command: str, tea: Path) -> None:
    done = run(command, tea, "--option", "trust-domain=corp.example")

    assert done.exit_code == 2
    assert "`trust-domain` is an option of no target" in done.stderr


def test_an_option_of_a_mesh_that_is_only_read_is_taken(tmp_path: Path) -> None:
    template = tmp_path / "t.yaml"
    template.write_text(
        "Parameters: {Name: {Type: String}}\n"
        "Resources: {A: {Type: 'AWS::AppMesh::Mesh', Properties: {MeshName: !Ref Name}}}\n",
        encoding="utf-8",
    )
    done = run("check", template, *AS_OF, "--option", "app-mesh.parameter.Name=shop")

    assert done.exit_code == 0
    assert "shop as of" in done.stdout


def test_compile_does_not_write_over_files_of_others(tea: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("x", encoding="utf-8")

    done = run("compile", tea, *AS_OF, "--target", "istio", "--out", tmp_path / "out")

    assert done.exit_code == 2
    assert "holds files and no `meshproof.lock` of ours" in done.stderr


def test_compile_wants_to_know_the_environment(tmp_path: Path) -> None:
    done = run("compile", written(tmp_path, ENVIRONMENTS), *AS_OF, "--target", "istio", "--out", tmp_path / "out")

    assert done.exit_code == 2
    assert "add `--env prod`" in done.stdout
