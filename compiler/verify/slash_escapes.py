"""Denies that a last slash escapes: `/x` and `/x/` are different paths, and most servers answer both alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.region import ComingFrom, MatchedBy, Outside, Satisfying, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.per_rule import PerRule, per_rule
from meshproof.compiler.verify.properties import ALLOWED
from meshproof.compiler.verify.slashes import is_denying_paths, slashed
from meshproof.compiler.verify.verdict import Example, Unknown
from meshproof.compiler.verify.witness import Witness


@dataclass(frozen=True, slots=True)
class SlashEscape:
    """A deny and a request that is allowed, though the deny refuses the same with a last slash more or less."""

    rule: RuleId
    witness: Witness


def slash_escapes(analysis: Analysis) -> PerRule[SlashEscape]:
    """The denies in force that a last slash escapes, each at the first of its ports that shows it."""
    return per_rule(analysis, lambda rule: _escapes(analysis, rule))


def _escapes(analysis: Analysis, rule: AuthzRule) -> Iterator[SlashEscape]:
    if not is_denying_paths(rule):
        return
    is_escape = both(Satisfying(slashed(rule.content)), ComingFrom(rule.sources), Outside(MatchedBy(rule.id)), ALLOWED)
    unknown = None
    for key in analysis.scopes_of(rule.id):
        answer = analysis.scope(key).is_satisfiable(is_escape)
        if isinstance(answer, Example):
            yield SlashEscape(rule.id, answer.witness)
            return
        if isinstance(answer, Unknown):
            unknown = answer.reason
    if unknown is not None:
        raise Undecided(unknown)
