from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from meshproof.compiler.checks import registry
from meshproof.compiler.checks.registry import CONCERNS, all_checks, find_check
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.problems import problem
from meshproof.dsl.source import Span


def test_every_module_of_a_concern_is_a_check() -> None:
    folders = (Path(registry.__file__).parent / concern for concern in CONCERNS)
    files = [path.stem for folder in folders for path in folder.glob("*.py") if not path.name.startswith("_")]

    assert sorted(check.module.rpartition(".")[2] for check in all_checks()) == sorted(files)


def test_a_check_is_found_by_its_code_and_has_what_the_ledger_says() -> None:
    check = find_check("MP301")

    assert check is not None
    assert (check.name, check.severity) == (problem("MP301").slug, problem("MP301").severity)
    assert check.concern == "authz"
    assert find_check("MP101") is None


def test_two_checks_of_one_code_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    one = all_checks()[0]
    monkeypatch.setattr(registry, "_check_in", lambda _: one)

    with pytest.raises(RuntimeError, match="is given out twice"):
        all_checks.__wrapped__()


def test_a_module_without_a_check_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_modules", lambda _: ["meshproof.compiler.checks.showing"])

    with pytest.raises(RuntimeError, match="does not bind its check to `CHECK`"):
        all_checks.__wrapped__()


def test_knowing_the_checks_loads_no_solver() -> None:
    program = (
        "import sys; from meshproof.compiler.checks.registry import all_checks; all_checks();"
        "print('z3' in sys.modules, 'lark' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["False", "False"]


def test_a_finding_is_made_with_what_the_ledger_says_unless_it_says_otherwise() -> None:
    check = find_check("MP301")
    assert check is not None
    place = Span("policy.mesh", 3, 9)

    plain = check.finding("it is so", place, "here", subject="x")
    milder = check.finding("it is so", place, severity=Severity.INFO)

    assert (plain.code, plain.severity, plain.primary, plain.subject) == ("MP301", Severity.ERROR, place, "x")
    assert plain.labels[0].is_primary
    assert milder.severity is Severity.INFO
