from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.compiler.driver.policies import CLAIM, DAY, ENVIRONMENTS, SPY, TEA

import meshproof
from meshproof.compiler.ir.json_text import Json, JsonError


def test_a_policy_is_read_and_judged(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA + SPY + CLAIM, encoding="utf-8")

    report = meshproof.check(meshproof.read_policy(tmp_path), day=DAY)

    assert [claim.verdict for claim in report.claims] == ["refuted"]


def test_without_the_solver_there_are_no_claims() -> None:
    report = meshproof.check(meshproof.policy_of_texts({"tea.mesh": TEA + CLAIM}), day=DAY, is_fast=True)

    assert report.is_judged
    assert report.claims == ()


def test_one_environment_can_be_asked_for() -> None:
    assert meshproof.policy_of_texts({"tea.mesh": ENVIRONMENTS}, environment="dev").environments == ("dev",)


def test_a_request_is_decided() -> None:
    mesh = meshproof.policy_of_texts({"tea.mesh": TEA}).meshes[0]
    caller: Json = {"identity": "spiffe://cluster.local/ns/tea/sa/shop"}
    request: Json = {"source": caller, "destination": {"service": "kettle"}, "method": "POST", "path": "/boil"}

    assert meshproof.decide(mesh, request, day=DAY)["by"] == "boil"
    with pytest.raises(JsonError):
        meshproof.decide(mesh, {"x": 1}, day=DAY)


def test_a_name_that_is_not_public_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'judge'"):
        _ = getattr(meshproof, "judge")  # noqa: B009  a type checker would refuse the name


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import sys, meshproof; print(sorted(name for name in sys.modules if name.startswith('meshproof.')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
