"""The rules of one effect that a caller can meet at a port, by method and path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Operation
from meshproof.compiler.ir.matchers import Segments
from meshproof.compiler.ir.predicate import (
    Always,
    Never,
    Path,
    Predicate,
    Test,
    conjunction,
    reads_http,
)
from meshproof.runtime.engine.conditions import Condition, condition
from meshproof.runtime.engine.facts import Facts
from meshproof.runtime.engine.segments import SegmentIndex


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule that takes the caller at the port, if what is left of its condition holds."""

    rule: AuthzRule
    when: Predicate

    @property
    def is_speaking_http(self) -> bool:
        """Whether it matches no connection."""
        return bool(self.rule.operations) or reads_http(self.rule.when)


Entry = tuple[AuthzRule, Condition | None]


class RequestIndex:
    """Candidates by method and path, for requests over HTTP."""

    __slots__ = ("_by_method", "_other")

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        found = [
            (operation, one)
            for one in candidates
            if not isinstance(one.when, Never)
            for operation in (one.rule.operations or (None,))
        ]
        methods = {method for operation, _ in found if operation is not None for method in operation.methods}
        self._by_method = {method: _paths(found, method) for method in sorted(methods)}
        self._other = _paths(found, None)

    def matching(self, method: str, path: str, facts: Callable[[], Facts]) -> list[AuthzRule]:
        """All rules that match, some perhaps twice. `facts` is asked only if a condition has to be looked at."""
        entries = self._by_method.get(method, self._other).find(path)
        if not entries:
            return []
        known: Facts | None = None
        found = []
        for rule, holds in entries:
            if holds is None:
                found.append(rule)
            else:
                known = known or facts()
                if holds(known):
                    found.append(rule)
        return found


def _paths(found: Sequence[tuple[Operation | None, Candidate]], method: str | None) -> SegmentIndex[Entry]:
    """What is for the method, or (None) for methods that no rule names."""
    index: SegmentIndex[Entry] = SegmentIndex()
    for operation, one in found:
        if operation is None:
            index.add_everywhere(_entry(one, one.when))
        elif not operation.methods or method in operation.methods:
            match operation.path:
                case Segments(pattern):
                    index.add(pattern, _entry(one, one.when))
                case None:
                    index.add_everywhere(_entry(one, one.when))
                case other:
                    index.add_everywhere(_entry(one, conjunction((Test(Path(), other), one.when))))
    return index


def _entry(one: Candidate, when: Predicate) -> Entry:
    return one.rule, None if isinstance(when, Always) else condition(when)


class ConnectionIndex:
    """Candidates for connections over TCP: a list, since nothing but the address and the server name is left."""

    __slots__ = ("_entries",)

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        self._entries = tuple(
            (one.rule, condition(one.when))
            for one in candidates
            if not one.is_speaking_http and not isinstance(one.when, Never)
        )

    def matching(self, facts: Facts) -> list[AuthzRule]:
        """All rules that match."""
        return [rule for rule, holds in self._entries if holds(facts)]
