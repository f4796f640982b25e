"""A formula without refusals that no request meets: each would be a gateway route, and there are few."""

from __future__ import annotations

from dataclasses import replace

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import Header, Method, Path, Query
from meshproof.targets.appmesh.lower import path_forms
from meshproof.targets.appmesh.lower.formula import Alternative, Formula, Group
from meshproof.targets.appmesh.lower.matching import matches
from meshproof.targets.common.findings import NotExpressibleError

LISTED = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")
"""The methods that a match can name (App Mesh API, HttpMethod), without CONNECT, which the language refuses."""


def trimmed(formula: Formula) -> Formula:
    """The formula that says the same of every request that can be."""
    possible = [one for one in formula.alternatives if may_meet(one.tests, ())]
    alternatives = tuple(
        replace(one, groups=tuple(group for group in one.groups if may_meet(one.tests, group))) for one in possible
    )
    refused = tuple(
        (rule, group) for rule, group in formula.refused if any(may_meet(one.tests, group) for one in alternatives)
    )
    kept, covered = _without_covered(alternatives)
    return Formula(refused, kept, covered)


def may_meet(tests: Group, group: Group) -> bool:
    """Whether some request may pass all tests of both; methods and paths alone are looked at."""
    both = (*tests, *group)
    methods = of(both, Method)
    if not listed(methods) and not reaches_others(methods):
        return False
    try:
        path_forms.meet(of(both, Path))
    except LookupError:
        return False
    except NotExpressibleError:
        pass
    return True


def of(tests: Group, kind: type[Method | Path | Header | Query]) -> Group:
    """The tests that read an attribute of the kind."""
    return tuple(test for test in tests if isinstance(test.attribute, kind))


def listed(tests: Group) -> tuple[str, ...]:
    """The methods that a match can name and that pass all tests."""
    return tuple(method for method in LISTED if all(matches(test.matcher, method) for test in tests))


def reaches_others(tests: Group) -> bool:
    """Whether a method that no match can name may pass all tests; of no tests it says no."""
    exact = [test.matcher.value for test in tests if isinstance(test.matcher, Exact)]
    if not exact:
        return bool(tests)
    others = (value for value in exact if value not in LISTED and value != "CONNECT")
    return any(all(matches(test.matcher, value) for test in tests) for value in others)


def _without_covered(
    alternatives: tuple[Alternative, ...],
) -> tuple[tuple[Alternative, ...], tuple[tuple[AuthzRule, Alternative], ...]]:
    """Alternatives that ask for all that another asks for, and more, are in that one: those left, and those not."""
    kept: list[Alternative] = []
    covered: list[tuple[AuthzRule, Alternative]] = []
    for one in alternatives:
        around = [other for other in alternatives if other is not one and _covers(other, one, alternatives)]
        if not around:
            kept.append(one)
        covered += [(one.rule, other) for other in around]
    return tuple(kept), tuple(covered)


def _covers(other: Alternative, one: Alternative, order: tuple[Alternative, ...]) -> bool:
    tests, groups = (set(other.tests), set(one.tests)), (set(other.groups), set(one.groups))
    if not tests[0] <= tests[1] or not groups[0] <= groups[1]:
        return False
    is_same = tests[0] == tests[1] and groups[0] == groups[1]
    return not is_same or order.index(other) < order.index(one)
