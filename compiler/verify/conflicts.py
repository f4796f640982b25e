"""Allows and denies that meet: which of them means an exception, and which may be a mistake."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import MatchedBy, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.match_sets import MatchSets
from meshproof.compiler.verify.verdict import Example
from meshproof.compiler.verify.witness import Witness


class ConflictKind(StrEnum):
    """How what is allowed and what is denied lie to each other."""

    EXCEPTION = "exception"
    """The deny takes a part out of the allow, and matches nothing else."""
    OVERRIDE = "override"
    """The deny refuses all that the allow matches."""
    CORRELATION = "correlation"
    """They overlap, and each matches what the other does not."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """An allow and a deny in force, and a request that both match."""

    allow: RuleId
    deny: RuleId
    kind: ConflictKind
    witness: Witness


def conflicts(analysis: Analysis) -> Iterable[Conflict]:
    """Every pair of an allow and a deny that meet, by name. A pair that cannot be decided is left out."""
    sets = {key: MatchSets(analysis.scope(key), is_admitted=False) for key in _decidable(analysis)}
    for allow, deny in _pairs(analysis):
        try:
            found = _conflict(analysis, sets, allow, deny)
        except Undecided:
            continue
        if found is not None:
            yield found


def _decidable(analysis: Analysis) -> Iterable[PortKey]:
    for key in analysis.keys:
        try:
            MatchSets(analysis.scope(key), is_admitted=False)
        except Undecided:
            continue
        yield key


def _pairs(analysis: Analysis) -> list[tuple[RuleId, RuleId]]:
    """The pairs that share a port."""
    found: dict[tuple[RuleId, RuleId], None] = {}
    for key in analysis.keys:
        rules = analysis.scope(key).rules()
        denies = [rule.id for rule in rules if rule.effect is Effect.DENY]
        for rule in rules:
            if rule.effect is Effect.ALLOW:
                found.update(dict.fromkeys((rule.id, deny) for deny in denies))
    return sorted(found)


def _conflict(analysis: Analysis, sets: dict[PortKey, MatchSets], allow: RuleId, deny: RuleId) -> Conflict | None:
    shared = [key for key in analysis.scopes_of(allow) if key in sets and key in analysis.scopes_of(deny)]
    meeting = next((key for key in shared if sets[key].meets(allow, sets[key].match(deny))), None)
    if meeting is None:
        return None
    answer = analysis.scope(meeting).is_satisfiable(both(MatchedBy(allow), MatchedBy(deny)))
    if not isinstance(answer, Example):
        return None
    is_override = _is_part(analysis, sets, allow, deny)
    is_exception = _is_part(analysis, sets, deny, allow)
    kind = (
        ConflictKind.OVERRIDE if is_override else ConflictKind.EXCEPTION if is_exception else ConflictKind.CORRELATION
    )
    return Conflict(allow, deny, kind, answer.witness)


def _is_part(analysis: Analysis, sets: dict[PortKey, MatchSets], rule: RuleId, other: RuleId) -> bool:
    """Whether the one matches nothing that the other does not, at any port."""
    keys = analysis.scopes_of(rule)
    return all(key in sets and sets[key].is_part(rule, (other,)) for key in keys)
