"""Allows and denies that meet: which of them means an exception, and which may be a mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.policy import PortKey
from meshproof.compiler.smt.region import MatchedBy, both
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.match_sets import MatchSets
from meshproof.compiler.verify.per_rule import PerRule, per_rule
from meshproof.compiler.verify.verdict import Answer


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
    """An allow and a deny in force that match a request in common, at a port that shows it."""

    allow: RuleId
    deny: RuleId
    kind: ConflictKind
    key: PortKey


def conflicts(analysis: Analysis) -> PerRule[Conflict]:
    """Every pair of an allow and a deny that meet, by the deny and then by the allow."""
    sets = _Sets(analysis)
    return per_rule(analysis, lambda rule: sets.conflicts(rule) if rule.effect is Effect.DENY else ())


def overlap(analysis: Analysis, conflict: Conflict) -> Answer:
    """The plainest request that both rules of a conflict match."""
    return analysis.scope(conflict.key).is_satisfiable(both(MatchedBy(conflict.allow), MatchedBy(conflict.deny)))


class _Sets:
    """The match sets of all ports that are asked about."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._at = cache(lambda key: MatchSets(analysis.scope(key), is_admitted=False))

    def conflicts(self, deny: AuthzRule) -> Iterator[Conflict]:
        meeting: dict[RuleId, PortKey] = {}
        for key in self._analysis.scopes_of(deny.id):
            sets = self._at(key)
            allows = (one.id for one in sets.meeting(deny.id) if one.effect is Effect.ALLOW)
            for allow in allows:
                if allow not in meeting and sets.meets(allow, sets.match(deny.id)):
                    meeting[allow] = key
        for name in sorted(meeting):
            yield Conflict(name, deny.id, self._kind(name, deny.id), meeting[name])

    def _kind(self, allow: RuleId, deny: RuleId) -> ConflictKind:
        if self._is_part(allow, deny):
            return ConflictKind.OVERRIDE
        return ConflictKind.EXCEPTION if self._is_part(deny, allow) else ConflictKind.CORRELATION

    def _is_part(self, rule: RuleId, other: RuleId) -> bool:
        """Whether the one matches nothing that the other does not, at any port."""
        keys = self._analysis.scopes_of(rule)
        return all(self._at(key).may_be_part(rule, other) or self._at(key).is_empty(rule) for key in keys) and all(
            self._at(key).is_part(rule, (other,)) for key in keys
        )
