"""The examples in the documentation of every check: the first is found, the second is not."""

from __future__ import annotations

import pytest
from tests.checks.judging import DAY, check_of, codes, findings_of, policy_of

from meshproof.compiler.checks.check import Precision
from meshproof.compiler.checks.documentation import SECTIONS, documentation_of
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.dsl.diagnostic import Severity


@pytest.mark.parametrize("code", codes())
def test_the_example_is_found(code: str) -> None:
    assert findings_of(policy_of(documentation_of(check_of(code)).example), code)


@pytest.mark.parametrize("code", codes())
def test_what_to_use_instead_is_not_found(code: str) -> None:
    assert findings_of(policy_of(documentation_of(check_of(code)).use_instead), code) == ()


@pytest.mark.parametrize("code", codes())
def test_what_to_use_instead_is_no_mistake_of_another_kind(code: str) -> None:
    policy = policy_of(documentation_of(check_of(code)).use_instead)

    found = judge(policy, JudgeOptions(day=DAY)).findings

    assert [one.diagnostic.message for one in found if one.diagnostic.severity is Severity.ERROR] == []


@pytest.mark.parametrize("code", codes())
def test_it_is_said_for_people(code: str) -> None:
    documentation = documentation_of(check_of(code))

    assert not documentation.title.endswith(".")
    assert [heading for heading, _ in documentation.sections] == list(SECTIONS)
    assert documentation.section("What it does").endswith(".")


@pytest.mark.parametrize("code", codes())
def test_a_heuristic_is_no_error(code: str) -> None:
    check = check_of(code)

    assert check.precision is not Precision.HEURISTIC or check.severity is not Severity.ERROR


@pytest.mark.parametrize("code", codes())
def test_messages_are_in_the_house_style(code: str) -> None:
    policy = policy_of(documentation_of(check_of(code)).example)

    for finding in findings_of(policy, code):
        diagnostic = finding.diagnostic
        texts = [diagnostic.message, *(label.text for label in diagnostic.labels), *diagnostic.notes]
        assert [text for text in texts if text.endswith(".") or "\n" in text or text[:2].istitle()] == []
        assert diagnostic.code == code
        assert diagnostic.subject, "nothing that a waiver could name"
        assert diagnostic.help, "no way out"
