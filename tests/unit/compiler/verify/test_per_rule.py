from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify import Analysis, PerRule, UndecidedRule, per_rule

POLICY = """
service web { }
service api { port http 8080 }
allow b: web -> api { GET /b }
allow a: web -> api { GET /a }
allow gone: web -> api { GET /gone  until 2026-01-31 }
audit deny maybe: web -> api { GET /maybe }
"""


def analysis_of(text: str) -> Analysis:
    return Analysis(mesh_of(text), date(2026, 11, 23))


def test_rules_in_force_are_asked_about_in_name_order() -> None:
    result = per_rule(analysis_of(POLICY), lambda rule: (rule.id, rule.id))

    assert result == PerRule(("a", "a", "b", "b"))


def test_a_rule_that_cannot_be_decided_is_kept_beside_what_was_found_of_it() -> None:
    def question(rule: AuthzRule) -> Iterator[str]:
        yield f"first of {rule.id}"
        if rule.id == "a":
            raise Undecided("too large")
        yield f"second of {rule.id}"

    result = per_rule(analysis_of(POLICY), question)

    assert result.found == ("first of a", "first of b", "second of b")
    assert [(one.rule, one.reason) for one in result.undecided] == [("a", "too large")]
    assert all(isinstance(one, UndecidedRule) for one in result.undecided)


def test_a_question_about_the_whole_policy_is_answered_once() -> None:
    asked: list[Analysis] = []

    def question(analysis: Analysis) -> int:
        asked.append(analysis)
        return len(asked)

    one, other = analysis_of(POLICY), analysis_of(POLICY)

    assert [one.once(question), one.once(question), other.once(question), one.once(question)] == [1, 1, 2, 1]
    assert asked == [one, other]
