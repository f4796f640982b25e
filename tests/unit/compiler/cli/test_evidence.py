"""`prove --evidence`: a folder that others can check, of the same bytes each time, and never half of it."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.compiler.cli.running import AS_OF, run
from tests.unit.compiler.driver.policies import CLAIM, ENVIRONMENTS, SPY, TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.commands import prove
from meshproof.compiler.ir.serde import digest, load
from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.verify import second_opinion

ASK = engines()["z3 strings"]
MORE = """
prove "more" {
    every request to kettle is mtls
    shop can reach kettle
    shop can call kettle:http POST /boil
    no path from spy to kettle
    shop is isolated from spy
    at most 1 attempts from shop
}
"""
KEPT_BACK = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {password: aHVudGVyMg==}\n"
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {ports: [{port: 80}]}\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    return written(tmp_path / "policy", TEA, CLAIM, MORE)


def written(folder: Path, *parts: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tea.mesh").write_text("".join(parts), encoding="utf-8")
    return folder


def manifest_of(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    assert fits("evidence-v1", manifest)
    return manifest


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def query_lines(folder: Path) -> Iterator[tuple[bool | None, str]]:
    """What each query's own text says is expected, and the text."""
    for path in sorted((folder / "queries").iterdir()):
        text = path.read_text(encoding="ascii")
        (status,) = re.findall(r"^\(set-info :status (\w+)\)$", text, re.MULTILINE)
        yield {"sat": True, "unsat": False, "unknown": None}[status], text


def test_the_manifest_lists_every_other_file_with_its_hash_and_size(policy: Path, tmp_path: Path) -> None:
    done = run("prove", policy, "--evidence", tmp_path / "e", *AS_OF)

    assert done.exit_code == 0, done.output
    found = files_in(tmp_path / "e")
    listed = manifest_of(tmp_path / "e")["files"]
    del found["manifest.json"]
    assert listed == {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)} for name, content in found.items()
    }
    assert found["inputs/tea.mesh"] == (policy / "tea.mesh").read_bytes()
    assert f"evidence: {len(found) + 1} files" in done.stderr


def test_the_bytes_are_the_same_wherever_the_policy_lies(policy: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = written(tmp_path / "elsewhere" / "of", TEA, CLAIM, MORE)

    run("prove", policy, "--evidence", tmp_path / "one", *AS_OF)
    run("prove", moved, "--evidence", tmp_path / "two", *AS_OF)

    assert files_in(tmp_path / "one") == files_in(tmp_path / "two") != {}
    assert not any(str(tmp_path).encode() in content for content in files_in(tmp_path / "one").values())


def test_every_query_is_answered_as_it_says_by_a_solver_that_knows_nothing_else(policy: Path, tmp_path: Path) -> None:
    run("prove", policy, "--evidence", tmp_path / "e", *AS_OF)

    queries = list(query_lines(tmp_path / "e"))

    assert {expected for expected, _ in queries} == {True, False}
    assert all(ASK(text, 10_000) is expected for expected, text in queries)


def test_claims_lead_to_their_queries_and_those_agree_with_the_files(policy: Path, tmp_path: Path) -> None:
    run("prove", policy, "--evidence", tmp_path / "e", *AS_OF)

    claims = manifest_of(tmp_path / "e")["claims"]

    asked = {query["file"]: query["expected"] for claim in claims for query in claim["queries"]}
    assert [claim["status"] for claim in claims] == ["satisfied"] * 7
    assert all(claim["queries"] for claim in claims)
    assert sorted(asked) == [name for name in sorted(files_in(tmp_path / "e")) if name.startswith("queries/")]
    for name, expected in asked.items():
        assert f"(set-info :status {expected})" in (tmp_path / "e" / name).read_text(encoding="ascii")
    (only,) = (one for one in claims if one["claim"] == "only shop reaches kettle")
    assert "unsat" in {query["expected"] for query in only["queries"]}
    (reach,) = (one for one in claims if one["claim"] == "shop can reach kettle")
    assert "sat" in {query["expected"] for query in reach["queries"]}


def test_a_refuted_claim_is_written_down_as_not_satisfied(tmp_path: Path) -> None:
    waived = 'waive MP601 on "only the shop boils" because "known" owner "tea" until 2027-01-01\n'
    for name, parts in (("open", (SPY,)), ("waived", (SPY, waived))):
        done = run("prove", written(tmp_path / name, TEA, *parts, CLAIM), "--evidence", tmp_path / f"e-{name}", *AS_OF)
        assert done.exit_code == (1 if name == "open" else 0), done.output

    (plain,) = manifest_of(tmp_path / "e-open")["claims"]
    (accepted,) = manifest_of(tmp_path / "e-waived")["claims"]

    assert (plain["status"], plain["reason"]) == ("not-satisfied", "refuted")
    assert (accepted["status"], accepted["reason"]) == ("not-satisfied", "refuted, and accepted by a waiver")


def test_what_could_not_be_answered_again_satisfies_nothing(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("meshproof.compiler.verify.questions.engines", lambda: {"z3 strings": lambda _s, _t: None})

    run("prove", policy, "--evidence", tmp_path / "e", *AS_OF)

    claims = manifest_of(tmp_path / "e")["claims"]
    assert {(one["verdict"], one["status"]) for one in claims} == {("proved", "not-satisfied")}
    assert {expected for expected, _ in query_lines(tmp_path / "e")} == {None}


def test_what_is_proved_of_rules_that_only_log_satisfies_nothing(tmp_path: Path) -> None:
    guard = 'audit deny no-spy: spy -> kettle { because "tried" owner "tea" until 2027-01-01 }\n'
    for name, parts in (("with", (SPY, guard)), ("without", ())):
        policy = written(tmp_path / name, TEA, *parts, CLAIM)
        done = run("prove", policy, "--evidence", tmp_path / f"e-{name}", "--audit", "as-enforced", *AS_OF)
        assert done.exit_code == 0, done.output

    (hypothetical,) = manifest_of(tmp_path / "e-with")["claims"]
    (real,) = manifest_of(tmp_path / "e-without")["claims"]

    assert (hypothetical["verdict"], hypothetical["status"]) == ("proved", "not-satisfied")
    assert "as if rules under `audit` were enforced" in hypothetical["reason"]
    assert real["status"] == "satisfied"


@pytest.mark.parametrize(("flags", "status"), [((), "satisfied"), (("--strict",), "not-satisfied")])
def test_a_vacuous_claim_says_so_and_satisfies_unless_the_run_is_strict(
    flags: tuple[str, ...], status: str, tmp_path: Path
) -> None:
    policy = written(tmp_path / "policy", TEA, 'prove "v" { only shop reaches spy }\n')

    run("prove", policy, "--evidence", tmp_path / "e", *flags, *AS_OF)

    (claim,) = manifest_of(tmp_path / "e")["claims"]
    assert (claim["status"], claim["reason"]) == (status, "vacuous: nothing could break it")


def test_models_and_report_are_those_of_the_run(tmp_path: Path) -> None:
    folder = written(tmp_path / "policy", ENVIRONMENTS, CLAIM)
    printed = run("prove", folder, "--evidence", tmp_path / "e", "--output", "json", *AS_OF)

    manifest = manifest_of(tmp_path / "e")

    assert [one["environment"] for one in manifest["models"]] == ["dev", "prod"]
    for model in manifest["models"]:
        mesh = load((tmp_path / "e" / model["file"]).read_bytes())
        assert (digest(mesh), mesh.environment) == (model["digest"], model["environment"])
    assert [one["environment"] for one in manifest["claims"]] == ["dev", "prod"]
    assert (tmp_path / "e" / "report.json").read_text() == printed.stdout
    assert fits("report-v1", json.loads(printed.stdout))


def test_the_second_encoding_is_added_where_an_engine_answered_it(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prove, "find_spec", lambda _name: object())
    monkeypatch.setattr(second_opinion, "engines", lambda: {"cvc5": ASK})

    run("prove", policy, "--evidence", tmp_path / "e", "--cross-check", *AS_OF)

    over_strings = [name for name in files_in(tmp_path / "e") if name.endswith(".strings.smt2")]
    assert over_strings
    assert all(ASK(text, 10_000) is expected for expected, text in query_lines(tmp_path / "e"))


def test_the_command_in_the_readme_comes_to_the_same(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("prove", policy, "--evidence", tmp_path / "e", "--strict", "--only", "more", *AS_OF)
    readme = (tmp_path / "e" / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^meshproof (.*)$", readme, re.MULTILINE)
    monkeypatch.chdir(tmp_path / "e")

    done = run(*shlex.split(line))

    assert done.exit_code == 0, done.output
    before, after = files_in(tmp_path / "e"), files_in(tmp_path / "e" / "again")
    assert {name: before[name] for name in after} == after


def test_what_is_there_and_not_ours_stays(policy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "e"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")

    done = run("prove", policy, "--evidence", folder, *AS_OF)

    assert done.exit_code == 2
    assert "holds files and no `manifest.json` of ours" in done.stderr
    assert files_in(folder) == {"notes.txt": b"mine"}


def test_old_evidence_is_replaced_as_a_whole(policy: Path, tmp_path: Path) -> None:
    run("prove", policy, "--evidence", tmp_path / "e", *AS_OF)
    (policy / "tea.mesh").write_text(TEA + CLAIM)
    run("prove", policy, "--evidence", tmp_path / "e", *AS_OF)
    run("prove", policy, "--evidence", tmp_path / "fresh", *AS_OF)

    assert files_in(tmp_path / "e") == files_in(tmp_path / "fresh") != {}


def test_a_policy_that_cannot_be_judged_leaves_none(tmp_path: Path) -> None:
    done = run("prove", written(tmp_path / "policy", TEA, "allow"), "--evidence", tmp_path / "e", *AS_OF)

    assert done.exit_code == 2
    assert "no evidence was written" in done.stderr
    assert not (tmp_path / "e").exists()


def test_a_secret_among_manifests_leaves_none(tmp_path: Path) -> None:
    folder = tmp_path / "manifests"
    folder.mkdir()
    (folder / "a.yaml").write_text(f"{SERVICE}---\n{KEPT_BACK}")

    done = run("prove", folder, "--evidence", tmp_path / "e", *AS_OF)

    assert done.exit_code == 2
    assert "a Secret is among the manifests" in " ".join(done.stderr.split())
    assert not (tmp_path / "e").exists()
    assert b"aHVudGVyMg" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*.json"))


def test_evidence_below_the_policy_is_no_part_of_it(policy: Path, tmp_path: Path) -> None:
    run("prove", policy, "--evidence", tmp_path / "outside", *AS_OF)

    for _ in range(2):
        done = run("prove", policy, "--evidence", policy / "evidence", *AS_OF)
        assert done.exit_code == 0, done.output

    assert files_in(policy / "evidence") == files_in(tmp_path / "outside")
    (policy / "tea.mesh").write_text((policy / "tea.mesh").read_text().replace("mesh tea {", "mesh  tea {"))
    assert run("fmt", policy).exit_code == 0
    assert files_in(policy / "evidence") == files_in(tmp_path / "outside")


@pytest.mark.parametrize(
    "manifest", ["{}", "[]", "no json", '{"schema": "meshproof/evidence/v1", "files": []}', '{"schema": "other/v1"}']
)
def test_a_manifest_of_others_hides_nothing(manifest: str, policy: Path) -> None:
    (policy / "more").mkdir()
    (policy / "more" / "manifest.json").write_text(manifest)
    (policy / "more" / "spy.mesh").write_text(SPY)

    assert run("prove", policy, *AS_OF).exit_code == 1


def test_what_stands_among_evidence_without_being_of_it_is_read(policy: Path) -> None:
    run("prove", policy, "--evidence", policy / "evidence", *AS_OF)
    (policy / "evidence" / "inputs" / "spy.mesh").write_text(SPY)

    assert run("prove", policy, *AS_OF).exit_code == 1
