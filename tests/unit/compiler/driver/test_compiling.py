from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.compiler.driver.policies import CLAIM, DAY, SPY, TEA, policy

from meshproof.compiler.backend.output import LOCK, OutputRefusedError
from meshproof.compiler.backend.registry import UnknownTargetError
from meshproof.compiler.driver.compiling import Order, compile_policy
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.report.exit_code import ExitCode, exit_code
from meshproof.compiler.report.model import Report
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion, Place, Undecided
from meshproof.compiler.verify.translation import Translation
from meshproof.dsl.diagnostic import Severity

OPTIONS = JudgeOptions(DAY)


def compiled(folder: Path, *parts: str, settings: tuple[tuple[str, str], ...] = ()) -> Report:
    return compile_policy(policy(*parts), OPTIONS, Order("istio", folder, Severity.ERROR, "1.0", settings))


def test_files_and_their_lock_are_written(tmp_path: Path) -> None:
    report = compiled(tmp_path / "out", TEA)

    assert report.compiled is not None
    there = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    assert there == sorted(report.compiled.files)
    assert LOCK in there


def test_the_same_policy_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        compiled(tmp_path / name, TEA)

    written = [{path.name: path.read_bytes() for path in (tmp_path / name).rglob("*.*")} for name in ("one", "two")]
    assert written[0] == written[1]


def test_nothing_is_written_if_a_claim_is_refuted(tmp_path: Path) -> None:
    report = compiled(tmp_path / "out", TEA, SPY, CLAIM)

    assert report.compiled is None
    assert not list(tmp_path.iterdir())


def test_nothing_is_written_if_the_target_cannot_say_it(tmp_path: Path) -> None:
    report = compiled(tmp_path / "out", TEA, settings=(("istio.path-normalization", "SOMEHOW"),))

    assert report.compiled is None
    assert "MP709" in {finding.diagnostic.code for finding in report.findings}
    assert not list(tmp_path.iterdir())


def region(change: Change) -> DiffRegion:
    return DiffRegion(change, ("web",), (Place("till:http", "till", "till", 80),), (), (), (), None)


@pytest.mark.parametrize(
    ("found", "code", "status"),
    [
        (Translation(looser=(region(Change.ALLOWED),)), "MP705", ExitCode.FOUND),
        (Translation(unexplained=(region(Change.DENIED),)), "MP723", ExitCode.FOUND),
        (Translation(unexplained=(region(Change.REROUTED),)), "MP723", ExitCode.FOUND),
        (Translation(undecided=(Undecided("till", "the solver gave up"),)), "MP710", ExitCode.UNDECIDED),
    ],
    ids=["looser", "refused", "sent elsewhere", "undecided"],
)
def test_nothing_is_written_that_is_not_proved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: Translation, code: str, status: ExitCode
) -> None:
    monkeypatch.setattr("meshproof.compiler.driver.reading_back.judgement", lambda *_: found)
    report = compiled(tmp_path / "out", TEA)

    assert report.compiled is None
    assert code in {finding.diagnostic.code for finding in report.findings}
    assert exit_code(report, Severity.ERROR) is status
    assert not list(tmp_path.iterdir())


def test_the_old_files_stay_if_the_new_policy_is_broken(tmp_path: Path) -> None:
    compiled(tmp_path / "out", TEA)
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}

    compiled(tmp_path / "out", TEA, SPY, CLAIM)

    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")} == before


def test_a_folder_with_files_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x", encoding="utf-8")

    with pytest.raises(OutputRefusedError):
        compiled(tmp_path, TEA)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_policy_that_cannot_be_read_compiles_to_nothing(tmp_path: Path) -> None:
    report = compile_policy(
        policy_of_texts({"x.mesh": "mesh"}), OPTIONS, Order("istio", tmp_path / "out", Severity.ERROR, "1.0")
    )

    assert not report.is_judged
    assert not list(tmp_path.iterdir())


def test_an_unknown_target_is_refused(tmp_path: Path) -> None:
    order = Order("istio", tmp_path / "out", Severity.ERROR, "1.0")

    with pytest.raises(UnknownTargetError):
        compile_policy(policy(TEA), OPTIONS, replace(order, target="consul"))

    assert not list(tmp_path.iterdir())
