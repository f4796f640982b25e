"""Which rules of a port have to do with what was edited there.

Where only rules differ, requests that no edited rule matches are decided as before. So a rule that has no request in
common with an edited one may be left out on both sides: what differs is the same without it. Whether two rules have
requests in common is told here from their callers, methods and paths alone; when in doubt they have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Operation
from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Or, Predicate, SourceIdentity, Test
from meshproof.compiler.smt.classes import is_match
from meshproof.compiler.smt.solver import Undecided


@dataclass(frozen=True, slots=True)
class _Callers:
    """The callers of a rule: these identities and no others, or (None) any number."""

    sources: SourceSet
    identities: frozenset[str] | None


def relevant_rules(rules: Sequence[AuthzRule], edited: Iterable[AuthzRule]) -> tuple[AuthzRule, ...]:
    """The rules that may match something that an edited one matches."""
    against = [(rule, _callers(rule.sources)) for rule in edited]
    return tuple(
        rule
        for rule in rules
        if any(
            _may_share_callers(_callers(rule.sources), callers) and _may_share(rule, one) for one, callers in against
        )
    )


def _callers(sources: SourceSet) -> _Callers:
    return _Callers(sources, None if sources.has_internet else _identities(sources.matches))


def _identities(predicate: Predicate) -> frozenset[str] | None:
    match predicate:
        case Never():
            return frozenset()
        case Test(SourceIdentity(), Exact(uri)):
            return frozenset((uri,))
        case Or(operands):
            found = [_identities(operand) for operand in operands]
            known = [one for one in found if one is not None]
            return frozenset().union(*known) if len(known) == len(found) else None
        case _:
            return None


def _may_share_callers(one: _Callers, other: _Callers) -> bool:
    if one.identities is not None:
        return any(_may_take(other, uri) for uri in one.identities)
    if other.identities is not None:
        return any(_may_take(one, uri) for uri in other.identities)
    return True


def _may_take(callers: _Callers, uri: str) -> bool:
    if callers.identities is not None:
        return uri in callers.identities
    try:
        return _takes(callers.sources.matches, uri)
    except Undecided:
        return True


def _takes(predicate: Predicate, uri: str) -> bool:
    match predicate:
        case Always():
            return True
        case Never():
            return False
        case Test(SourceIdentity(), matcher):
            return is_match(matcher, uri)
        case Not(operand):
            return not _takes(operand, uri)
        case And(operands):
            return all(_takes(operand, uri) for operand in operands)
        case Or(operands):
            return any(_takes(operand, uri) for operand in operands)
        case _:
            raise Undecided("a set of callers reads more than identities")


def _may_share(one: AuthzRule, other: AuthzRule) -> bool:
    """Whether some operation of one is one of the other; a rule without any has all of them."""
    if not one.operations or not other.operations:
        return True
    return any(_may_meet(first, second) for first in one.operations for second in other.operations)


def _may_meet(one: Operation, other: Operation) -> bool:
    if one.methods and other.methods and set(one.methods).isdisjoint(other.methods):
        return False
    first, second = one.path, other.path
    if first is None or second is None:
        return True
    if isinstance(first, Exact) and not first.ignore_case:
        return _may_match(second, first.value)
    if isinstance(second, Exact) and not second.ignore_case:
        return _may_match(first, second.value)
    return True


def _may_match(matcher: Matcher, path: str) -> bool:
    try:
        return is_match(matcher, path)
    except Undecided:
        return True
