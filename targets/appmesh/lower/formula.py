"""What a permission allows, as alternatives that ordered routes can say one after the other.

Routes are tried in order and each asks for several things at once; none says "not". So an alternative is tests that all
hold, and groups of tests of which none may hold as a whole: each group becomes a route that refuses, in front of the
one that allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import assert_never

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, Test, negation
from meshproof.targets.common.findings import NotExpressibleError

_MOST = 128
"""Alternatives of one permission: more would never fit into the routes of a gateway."""

Group = tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """All of `tests` hold, and of none of `groups` do all. `rule` is where what is said about it belongs."""

    rule: AuthzRule
    tests: Group
    groups: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Formula:
    """What is allowed: some alternative holds, and of no group of `refused` do all tests.

    `covered` are rules of which an alternative was left out, each with the one of another rule that it is a part of.
    """

    refused: tuple[tuple[AuthzRule, Group], ...]
    alternatives: tuple[Alternative, ...]
    covered: tuple[tuple[AuthzRule, Alternative], ...] = ()


def formula_of(allowed: tuple[AuthzRule, ...], denied: tuple[AuthzRule, ...]) -> Formula:
    """The formula of what an `allowed` rule takes and no `denied` one; raises `NotExpressibleError` if it is too long.

    A deny with an exception (`unless`) is no group: what its exception takes is an alternative of its own.
    """
    refused: list[tuple[AuthzRule, Group]] = []
    exceptions: list[tuple[Group, tuple[Test, ...]]] = []
    for rule in denied:
        for positive, negative in _alternatives(rule.content):
            if negative:
                exceptions.append((positive, negative))
            else:
                refused.append((rule, positive))
    alternatives: list[Alternative] = []
    for rule in allowed:
        for positive, negative in _alternatives(rule.content):
            alternatives += _excepted(Alternative(rule, positive, tuple((one,) for one in negative)), exceptions)
    return Formula(tuple(refused), tuple(dict.fromkeys(alternatives)))


def _excepted(start: Alternative, exceptions: list[tuple[Group, tuple[Test, ...]]]) -> list[Alternative]:
    """The alternative without what is denied: outside of the positive tests of a deny, or inside of an exception."""
    found = [start]
    for positive, negative in exceptions:
        inside = [
            Alternative(one.rule, tuple(dict.fromkeys((*one.tests, test))), one.groups)
            for one in found
            for test in negative
        ]
        outside = [Alternative(one.rule, one.tests, (*one.groups, positive)) for one in found] if positive else []
        found = [*inside, *outside]
        _check(len(found))
    return found


def _alternatives(predicate: Predicate) -> list[tuple[Group, tuple[Test, ...]]]:
    """The disjunctive normal form: tests that hold, and tests that do not."""
    found = []
    for literals in _normal(predicate):
        positive = tuple(dict.fromkeys(one for one in literals if isinstance(one, Test)))
        negative = tuple(dict.fromkeys(one.operand for one in literals if isinstance(one, Not)))
        tests = tuple(one for one in negative if isinstance(one, Test))
        if not set(positive) & set(tests):
            found.append((positive, tests))
    return found


def _normal(predicate: Predicate) -> list[tuple[Test | Not, ...]]:
    match predicate:
        case Always():
            return [()]
        case Never():
            return []
        case Test() | Not(Test()):
            return [(predicate,)]
        case Or(operands):
            found = [one for operand in operands for one in _normal(operand)]
            _check(len(found))
            return found
        case And(operands):
            parts = [_normal(operand) for operand in operands]
            size = 1
            for part in parts:
                size *= len(part)
                _check(size)
            return [tuple(one for group in combined for one in group) for combined in product(*parts)]
        case Not(operand):
            return _normal(_pushed(operand))
        case Opaque():
            raise NotExpressibleError(Feature.FOREIGN_FILES, f"`{predicate.field}` is not modelled")
        case _:
            assert_never(predicate)


def _pushed(operand: Predicate) -> Predicate:
    """The negation, one level further in."""
    match operand:
        case And(operands):
            return Or(tuple(map(negation, operands)))
        case Or(operands):
            return And(tuple(map(negation, operands)))
        case Opaque():
            raise NotExpressibleError(Feature.FOREIGN_FILES, f"`{operand.field}` is not modelled")
        case _:
            return negation(operand)


def _check(size: int) -> None:
    if size > _MOST:
        reason = f"its conditions come to more than {_MOST} alternatives, and each is a gateway route"
        raise NotExpressibleError(Feature.ALLOW, reason, "split the rule, or ask for less at once")
