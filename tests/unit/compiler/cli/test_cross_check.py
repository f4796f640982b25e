"""`prove --cross-check`: agreement is shown, silence is no agreement, and contradiction is an error of ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import AS_OF, run
from tests.unit.compiler.driver.policies import CLAIM, SPY, TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.commands import prove
from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.verify import second_opinion

CHAIN = 'prove "no way" { no path from spy to kettle }\n'
ASK_Z3 = engines()["z3 strings"]


@pytest.fixture(autouse=True)
def _two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if cvc5 were here: z3's strings answer for it."""
    monkeypatch.setattr(prove, "find_spec", lambda _name: object())
    monkeypatch.setattr(second_opinion, "engines", lambda: {"cvc5": ASK_Z3})


def written(folder: Path, *parts: str) -> Path:
    path = folder / "tea.mesh"
    path.write_text("".join(parts), encoding="utf-8")
    return path


@pytest.mark.parametrize(("rule", "code"), [("", 0), (SPY, 1)])
def test_a_verdict_that_is_reached_again_is_confirmed_whatever_it_is(rule: str, code: int, tmp_path: Path) -> None:
    done = run("prove", written(tmp_path, TEA, rule, CLAIM), "--cross-check", *AS_OF)

    assert done.exit_code == code, done.output
    assert "only shop reaches kettle (confirmed by cvc5)" in done.stdout


def test_a_claim_of_chains_is_not_confirmed_and_still_proved(tmp_path: Path) -> None:
    done = run("prove", written(tmp_path, TEA, CHAIN), "--cross-check", *AS_OF)

    assert done.exit_code == 0
    assert "(not confirmed: a claim of this kind has no second encoding)" in " ".join(done.stdout.split())


def test_json_says_who_confirmed_and_who_did_not_decide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = {"z3 strings": ASK_Z3, "cvc5": lambda _script, _timeout_ms: None}
    monkeypatch.setattr(second_opinion, "engines", lambda: slow)
    policy = written(tmp_path, TEA, CLAIM)

    report = json.loads(run("prove", policy, "--cross-check", "--output", "json", *AS_OF).stdout)

    assert fits("report-v1", report)
    assert report["claims"][0]["cross_check"] == {
        "confirmed": True,
        "by": ["z3 strings"],
        "undecided": ["cvc5 did not decide at `kettle:http`: no answer in time"],
    }


def test_nobody_is_asked_unless_someone_wants_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_opinion, "engines", lambda: pytest.fail("asked"))

    report = json.loads(run("prove", written(tmp_path, TEA, CLAIM), "--output", "json", *AS_OF).stdout)

    assert "cross_check" not in report["claims"][0]


def test_two_solvers_that_disagree_are_a_bug_to_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def contrary(script: str, timeout_ms: int) -> bool | None:
        found = ASK_Z3(script, timeout_ms)
        return None if found is None else not found

    monkeypatch.setattr(second_opinion, "engines", lambda: {"cvc5": contrary})

    done = run("prove", written(tmp_path, TEA, CLAIM), "--cross-check", *AS_OF)

    assert done.exit_code == 4
    assert done.stdout == ""
    assert "two solvers disagree about `only shop reaches kettle` in `only the shop boils`" in done.stderr
    assert "report both" in done.stderr


def test_without_a_second_solver_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prove, "find_spec", lambda _name: None)

    done = run("prove", written(tmp_path, TEA, CLAIM), "--cross-check", *AS_OF)

    assert done.exit_code == 2
    assert "pip install 'meshproof[oracles]'" in done.stderr
