"""Sets of callers as the IR has them: who among the workloads is in it, and how it reads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import assert_never

from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, Test
from meshproof.compiler.patterns import pattern


class Identities:
    """The identities of the workloads in the mesh, to find the members of sets."""

    def __init__(self, named: Iterable[tuple[NodeName, str]]) -> None:
        self._names: dict[str, list[NodeName]] = {}
        for name, uri in named:
            self._names.setdefault(uri, []).append(name)
        self._known: dict[Predicate, tuple[NodeName, ...]] = {}

    def source_set(self, matches: Predicate, text: str) -> SourceSet:
        """The set of the callers whose identity passes. All workloads with such an identity are members."""
        members = self._known.get(matches)
        if members is None:
            found = (name for uri, names in self._names.items() if takes(matches, uri) for name in names)
            members = self._known[matches] = tuple(sorted(found))
        return SourceSet(matches, takes(matches, None), members, (), text)


def takes(predicate: Predicate, uri: str | None) -> bool:
    """Whether a predicate over identities holds of a caller; None is one without identity."""
    match predicate:
        case Always():
            return True
        case Never():
            return False
        case Test(_, matcher):
            return uri is not None and _passes(matcher, uri)
        case Not(operand):
            return not takes(operand, uri)
        case And(operands):
            return all(takes(one, uri) for one in operands)
        case Or(operands):
            return any(takes(one, uri) for one in operands)
        case Opaque():
            return True
        case _:
            assert_never(predicate)


@lru_cache(maxsize=65536)
def _passes(matcher: Matcher, uri: str) -> bool:
    match matcher:
        case Exact(value):
            return uri == value
        case Prefix(value):
            return uri.startswith(value)
        case Regex(text):
            return pattern.matches(pattern.Regex(text), uri)
        case Present():
            return True
        case _:
            raise AssertionError(matcher)
