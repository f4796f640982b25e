"""The rules of one effect that a caller can meet at a port, by method and path."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from meshproof.compiler.ir.authz import AuthzRule, Operation
from meshproof.compiler.ir.matchers import Exact, Segments
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
from meshproof.runtime.engine.facts import Facts, Incoming, Wire
from meshproof.runtime.engine.segments import NOTHING, After, SegmentIndex, after_stem, stem
from meshproof.runtime.engine.tokens import GoodToken


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
Find = Callable[[str], list[Entry]]

_FEW = 4
"""Up to so many operations are looked at one by one, which touches less memory than looking them up."""

WHOLE, BELOW, LIKE = range(3)
"""A path is the stem itself, the stem or below it, or begins with it and fits the pattern."""

PlainRow = tuple[str, int, tuple[str, ...], AuthzRule, After]
"""An operation that path and method decide: where the path begins, how it goes on, methods (none: any), the rule."""

_Row = tuple[str, int, tuple[str, ...], AuthzRule, Condition | None, After]
_EMPTY: SegmentIndex[Entry] = SegmentIndex()


class RequestIndex:
    """Candidates by method and path, for requests over HTTP. `is_plain`: those two decide all of them."""

    __slots__ = ("_by_method", "_other", "_rows", "is_plain")

    def __init__(self, candidates: Iterable[Candidate]) -> None:
        found = [
            (operation, one)
            for one in candidates
            if not isinstance(one.when, Never)
            for operation in (one.rule.operations or (None,))
        ]
        self._rows = tuple(_row(operation, one) for operation, one in found) if len(found) <= _FEW else None
        self._by_method: dict[str, SegmentIndex[Entry]] = {}
        self._other: SegmentIndex[Entry] = _EMPTY
        self.is_plain = all(_is_plain(operation, one) for operation, one in found)
        if self._rows is None:
            methods = {method for operation, _ in found if operation is not None for method in operation.methods}
            self._by_method = {method: _paths(found, method) for method in sorted(methods)}
            self._other = _paths(found, None)

    @property
    def plain_rows(self) -> tuple[PlainRow, ...] | None:
        """The operations, if they are few and path and method decide all of them."""
        if self._rows is None or not self.is_plain:
            return None
        return tuple((beginning, kind, methods, rule, after) for beginning, kind, methods, rule, _, after in self._rows)

    def matching(self, wire: Wire, incoming: Incoming, path: str, token: GoodToken | None) -> Sequence[AuthzRule]:
        """All rules that match, some perhaps twice. Facts are made only if a condition has to be looked at."""
        if self._rows is None:
            return self._looked_up(wire, incoming, path, token)
        found: list[AuthzRule] | None = None
        for beginning, kind, methods, rule, holds, after in self._rows:
            if kind == WHOLE:
                if path != beginning:
                    continue
            elif not path.startswith(beginning):
                continue
            elif kind == BELOW:
                if path != beginning and path[len(beginning)] != "/":
                    continue
            elif after(path, len(beginning)) is None:
                continue
            if methods and incoming.method not in methods:
                continue
            if holds is None or holds(Facts(wire, incoming, path, token)):
                if found is None:
                    found = [rule]
                else:
                    found.append(rule)
        return found or ()

    @property
    def finders(self) -> tuple[Mapping[str, Find], Find]:
        """What finds entries by path, by method and for other methods; for an index without `plain_rows`."""
        return {method: index.find for method, index in self._by_method.items()}, self._other.find

    def _looked_up(self, wire: Wire, incoming: Incoming, path: str, token: GoodToken | None) -> Sequence[AuthzRule]:
        entries = (self._by_method.get(incoming.method) or self._other).find(path)
        if not entries:
            return ()
        known: Facts | None = None
        found = []
        for rule, holds in entries:
            if holds is None:
                found.append(rule)
            else:
                known = known or Facts(wire, incoming, path, token)
                if holds(known):
                    found.append(rule)
        return found


def _is_plain(operation: Operation | None, one: Candidate) -> bool:
    match None if operation is None else operation.path:
        case None | Segments() | Exact(ignore_case=False):
            return isinstance(one.when, Always)
        case _:
            return False


def _row(operation: Operation | None, one: Candidate) -> _Row:
    """An operation and what is left of its rule's condition."""
    methods = () if operation is None else _shared(operation.methods)
    match None if operation is None else operation.path:
        case Segments(pattern):
            beginning = stem(pattern)
            rule, holds = _entry(one, one.when)
            if beginning == pattern:
                return beginning, WHOLE, methods, rule, holds, NOTHING
            if pattern == f"{beginning}/**":
                return beginning, BELOW, methods, rule, holds, NOTHING
            return beginning, LIKE, methods, rule, holds, after_stem(pattern)
        case Exact(text, ignore_case=False):
            return text, WHOLE, methods, *_entry(one, one.when), NOTHING
        case None:
            return "", BELOW, methods, *_entry(one, one.when), NOTHING
        case other:
            return "", BELOW, methods, *_entry(one, conjunction((Test(Path(), other), one.when))), NOTHING


@lru_cache(maxsize=4096)
def _shared(methods: tuple[str, ...]) -> tuple[str, ...]:
    """The same tuple for the same methods, so that it stays in the cache of the processor."""
    return methods


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
                case Exact(text, ignore_case=False):
                    index.add_whole(text, _entry(one, one.when))
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
