"""A new policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.compiler.driver.policies import DAY

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.driver.starting import HasPolicyError, start_policy, starting_policy


@pytest.mark.parametrize("name", ["shop", "tea-house", "x", "a" * 63, "service", "web", "orders", "money"])
def test_it_is_sound_whatever_it_is_called(name: str) -> None:
    policy = policy_of_texts({"policy.mesh": starting_policy(name)})

    assert policy.name == name
    assert judge(policy, JudgeOptions(day=DAY)).findings == ()


@pytest.mark.parametrize("name", ["", "Shop", "all", "3scale", "a b", "x\n}", "a" * 64])
def test_what_is_no_name_is_left_out(name: str) -> None:
    assert policy_of_texts({"policy.mesh": starting_policy(name)}).name == "shop"


def test_only_the_name_of_the_mesh_is_changed() -> None:
    before, after = starting_policy("shop").splitlines(), starting_policy("tea").splitlines()

    assert [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]] == [("mesh shop {", "mesh tea {")]


def test_a_file_that_appears_meanwhile_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "iterdir", lambda _self: iter(()))
    (tmp_path / "policy.mesh").write_text("ours", encoding="utf-8")

    with pytest.raises(HasPolicyError) as refusal:
        start_policy(tmp_path)

    assert refusal.value.file == tmp_path / "policy.mesh"
    assert (tmp_path / "policy.mesh").read_text(encoding="utf-8") == "ours"
