"""The long explanations: each code has one or a check that documents it, and their examples are what they say."""

from __future__ import annotations

import re
from datetime import date

import pytest

from meshproof.compiler.checks.registry import all_checks
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.explanations import explanation_of
from meshproof.dsl.problems import LEDGER, problem

MESH = 'mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'
FENCE = re.compile(r"^(Wrong|Right):\n\n```mesh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXPLAINED = [entry.code for entry in LEDGER if explanation_of(entry.code)]
EXAMPLES = [(code, word, text) for code in EXPLAINED for word, text in FENCE.findall(explanation_of(code) or "")]
IDS = [f"{code}-{word}" for code, word, _ in EXAMPLES]


def findings_of(text: str) -> dict[str, Severity]:
    is_whole = re.search(r"^mesh ", text, re.MULTILINE)
    policy = policy_of_texts({"policy.mesh": text} if is_whole else {"mesh.mesh": MESH, "policy.mesh": text})
    report = judge(policy, JudgeOptions(day=date(2026, 11, 23)))
    return {finding.diagnostic.code: finding.diagnostic.severity for finding in report.findings}


def test_every_code_is_explained_once() -> None:
    documented = {check.code for check in all_checks()}

    assert [entry.code for entry in LEDGER if entry.code not in documented | set(EXPLAINED)] == []
    assert documented & set(EXPLAINED) == set()


def test_a_code_that_is_none_has_no_explanation() -> None:
    assert explanation_of("MP000") is None


@pytest.mark.parametrize("code", EXPLAINED)
def test_an_explanation_says_more_than_the_ledger(code: str) -> None:
    text = explanation_of(code) or ""

    assert len(text) > len(problem(code).summary)
    assert text.count("```") == 2 * len(FENCE.findall(text))


@pytest.mark.parametrize(("code", "word", "text"), EXAMPLES, ids=IDS)
def test_an_example_is_what_it_says(code: str, word: str, text: str) -> None:
    found = findings_of(text)

    if word == "Wrong":
        assert code in found
    else:
        assert code not in found
        assert [one for one in found if one.startswith(("MP0", "MP1", "MP2"))] == []


def test_the_wrong_example_comes_first() -> None:
    words = {code: [word for one, word, _ in EXAMPLES if one == code] for code in EXPLAINED}

    assert [code for code, order in words.items() if order not in ([], ["Wrong"], ["Right"], ["Wrong", "Right"])] == []
