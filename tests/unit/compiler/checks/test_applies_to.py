"""Which meshes a check is run on, and in whose words it speaks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NoReturn

import pytest
from tests.checks.judging import MESH, check_of, codes, policy_of

from meshproof.compiler.checks.check import AppliesTo
from meshproof.compiler.checks.context import CheckContext
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.mesh import Mesh, PathMode

OURS = policy_of_texts({"m.mesh": MESH}).meshes[0]
THEIRS = replace(OURS, paths=PathMode.BASE)
CONFIG = """
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80}]}
"""


def context(mesh: Mesh) -> CheckContext:
    def no_analysis() -> NoReturn:
        raise AssertionError

    return CheckContext(mesh, date(2026, 11, 23), (), {}, no_analysis)


@pytest.mark.parametrize(
    ("applies", "on_ours", "on_theirs"),
    [(AppliesTo.ALL, True, True), (AppliesTo.LANGUAGE, True, False), (AppliesTo.MANIFESTS, False, True)],
)
def test_what_a_check_is_for(applies: AppliesTo, *, on_ours: bool, on_theirs: bool) -> None:
    assert (applies.takes(OURS), applies.takes(THEIRS)) == (on_ours, on_theirs)


def test_a_mesh_is_lifted_if_paths_are_those_of_its_proxies() -> None:
    assert not OURS.is_lifted
    assert THEIRS.is_lifted
    assert policy_of(CONFIG).meshes[0].is_lifted


def test_advice_is_for_who_has_to_follow_it() -> None:
    assert context(OURS).worded("write a rule", "change the YAML") == "write a rule"
    assert context(THEIRS).worded("write a rule", "change the YAML") == "change the YAML"


def test_checks_of_manifests_stand_together_and_are_for_manifests() -> None:
    found = [check_of(code) for code in codes() if check_of(code).concern == "manifests"]

    assert {check.applies_to for check in found} == {AppliesTo.MANIFESTS}
    assert len(found) >= 15


def test_what_only_the_language_can_say_is_not_asked_of_manifests() -> None:
    report = judge(policy_of(CONFIG), JudgeOptions(day=date(2026, 11, 23)))

    assert {one.diagnostic.code for one in report.findings} == {"MP322", "MP501"}
