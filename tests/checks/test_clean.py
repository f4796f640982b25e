"""What other tools complain of although nothing is wrong: `clean/NAME.md` has manifests in which nothing is found.

A fence is added to `footguns/BASE.yaml`, unless it is `yaml alone`.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.checks.judging import DAY
from tests.checks.test_footguns import BASE, CASE, FENCE, FOLDER

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_manifests

FILES = sorted((Path(__file__).parent / "clean").glob("*.md"))
KINDS = {"hosts-elsewhere", "methods", "auto-mtls", "namespaces", "tokens", "permissive"}
CASES = [
    pytest.param(found["text"], bool(found["alone"]), id=f"{path.stem}-{number}")
    for path in FILES
    for number, found in enumerate(FENCE.finditer(path.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("text", "is_alone"), CASES)
def test_nothing_is_found(text: str, *, is_alone: bool) -> None:
    base = {} if is_alone else {BASE: (FOLDER / "BASE.yaml").read_text(encoding="utf-8")}
    policy = policy_of_manifests({**base, CASE: text})

    assert policy.is_judgeable, policy.diagnostics
    assert [one.diagnostic.message for one in judge(policy, JudgeOptions(day=DAY)).findings] == []


def test_each_kind_of_false_alarm_has_a_file() -> None:
    assert {path.stem for path in FILES} == KINDS
    assert len(CASES) > len(FILES)
