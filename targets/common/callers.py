"""Sets of callers as the IR has them: who among the workloads is in it, and how it reads."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import assert_never

from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, Test

_NOBODY: frozenset[str] = frozenset()


class Identities:
    """The identities of the workloads in the mesh, to find the members of sets. What was found once is kept."""

    def __init__(self, named: Iterable[tuple[NodeName, str]]) -> None:
        self._names: dict[str, list[NodeName]] = {}
        for name, uri in named:
            self._names.setdefault(uri, []).append(name)
        self._every = frozenset(self._names)
        self._members: dict[Predicate, tuple[NodeName, ...]] = {}
        self._taken: dict[Matcher, frozenset[str]] = {}

    def source_set(self, matches: Predicate, text: str) -> SourceSet:
        """The set of the callers whose identity passes. All workloads with such an identity are members."""
        members = self._members.get(matches)
        if members is None:
            found = (name for uri in self._of(matches) for name in self._names[uri])
            members = self._members[matches] = tuple(sorted(found))
        return SourceSet(matches, takes_anonymous(matches), members, (), text)

    def _of(self, predicate: Predicate) -> frozenset[str]:
        match predicate:
            case Always() | Opaque():
                return self._every
            case Never():
                return _NOBODY
            case Test(_, matcher):
                return self._passing(matcher)
            case Not(operand):
                return self._every - self._of(operand)
            case And(operands):
                return self._every.intersection(*map(self._of, operands))
            case Or(operands):
                return _NOBODY.union(*map(self._of, operands))
            case _:
                assert_never(predicate)

    def _passing(self, matcher: Matcher) -> frozenset[str]:
        found = self._taken.get(matcher)
        if found is None:
            found = self._taken[matcher] = self._found(matcher)
        return found

    def _found(self, matcher: Matcher) -> frozenset[str]:
        match matcher:
            case Exact(value):
                return frozenset((value,)) & self._every
            case Prefix(value):
                return frozenset(uri for uri in self._every if uri.startswith(value))
            case Regex(text):
                # Expressions over identities are all of our own making, and mean the same to Python as to RE2.
                expression = re.compile(text)
                return frozenset(uri for uri in self._every if expression.fullmatch(uri))
            case Present():
                return self._every
            case _:
                raise AssertionError(matcher)


def takes_anonymous(predicate: Predicate) -> bool:
    """Whether a predicate over identities holds of a caller without one, who meets no test."""
    match predicate:
        case Always() | Opaque():
            return True
        case Never() | Test():
            return False
        case Not(operand):
            return not takes_anonymous(operand)
        case And(operands):
            return all(map(takes_anonymous, operands))
        case Or(operands):
            return any(map(takes_anonymous, operands))
        case _:
            assert_never(predicate)
