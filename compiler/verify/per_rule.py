"""One question about every rule: what was found, and of which rules it is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class UndecidedRule:
    """A rule of which something is not known, and why."""

    rule: RuleId
    reason: str


@dataclass(frozen=True, slots=True)
class PerRule(Generic[T]):
    """What was found, by rule, and the rules that could not be decided."""

    found: tuple[T, ...]
    undecided: tuple[UndecidedRule, ...] = ()


def per_rule(analysis: Analysis, question: Callable[[AuthzRule], Iterable[T]]) -> PerRule[T]:
    """The answers about each rule in force that speaks of some port, in name order.

    What is found of a rule before `question` raises Undecided is kept.
    """
    found: list[T] = []
    undecided: list[UndecidedRule] = []
    for name in sorted(analysis.rules):
        if not analysis.scopes_of(name):
            continue
        try:
            found.extend(question(analysis.rules[name]))
        except Undecided as reason:
            undecided.append(UndecidedRule(name, reason.reason))
    return PerRule(tuple(found), tuple(undecided))
