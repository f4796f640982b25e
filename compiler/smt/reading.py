"""What a rule reads, worked out once: most rules are at one port, but those for everything are at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Attribute, Opaque, Port, Predicate, reads_http
from meshproof.compiler.smt.atoms import matchers_by_attribute, opaques_of, tests_of

Matchers = Mapping[Attribute, tuple[Matcher, ...]]


@dataclass(frozen=True, slots=True)
class RuleReading:
    """A rule's condition, what it compares with what, and what of it is not modelled."""

    rule: AuthzRule
    content: Predicate
    matchers: Matchers
    opaques: tuple[Opaque, ...]
    is_http_only: bool


class Readings:
    """What each rule of a policy reads, worked out when it is asked for: most questions are about few of the rules."""

    def __init__(self) -> None:
        self._known: dict[RuleId, RuleReading] = {}

    def of(self, rule: AuthzRule) -> RuleReading:
        """What the rule reads."""
        found = self._known.get(rule.id)
        if found is None or found.rule is not rule:
            found = self._known[rule.id] = reading_of(rule)
        return found


def reading_of(rule: AuthzRule) -> RuleReading:
    """What the rule reads."""
    content = rule.content
    opaques = opaques_of((rule.when,))  # operations have none
    is_http_only = bool(rule.operations) or reads_http(rule.when)
    return RuleReading(rule, content, matchers_by_attribute((content,)), opaques, is_http_only)


def ports_tested(rule: AuthzRule) -> frozenset[int]:
    """The ports that the rule's condition tests for."""
    return frozenset(
        int(test.matcher.value)
        for test in tests_of((rule.when,))
        if isinstance(test.attribute, Port) and isinstance(test.matcher, Exact) and test.matcher.value.isdecimal()
    )


def merged(readings: Iterable[Matchers]) -> dict[Attribute, tuple[Matcher, ...]]:
    """All that is compared with what, in the order in which it is met."""
    found: dict[Attribute, dict[Matcher, None]] = {}
    for reading in readings:
        for attribute, matchers in reading.items():
            found.setdefault(attribute, {}).update(dict.fromkeys(matchers))
    return {attribute: tuple(matchers) for attribute, matchers in found.items()}
