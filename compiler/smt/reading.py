"""What a rule reads, worked out once: most rules are at one port, but those for everything are at all of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.predicate import Attribute, Opaque, Port, Predicate, reads_http
from meshproof.compiler.smt.atoms import matchers_by_attribute, opaques_of

Matchers = Mapping[Attribute, tuple[Matcher, ...]]


@dataclass(frozen=True, slots=True)
class RuleReading:
    """A rule's condition, what it compares with what, what of it is not modelled, and the ports that it tests for."""

    rule: AuthzRule
    content: Predicate
    matchers: Matchers
    opaques: tuple[Opaque, ...]
    ports: frozenset[int]
    is_http_only: bool


def reading_of(rule: AuthzRule) -> RuleReading:
    """What the rule reads."""
    content = rule.content
    matchers = matchers_by_attribute((content,))
    ports = (one.value for one in matchers.get(Port(), ()) if isinstance(one, Exact) and one.value.isdecimal())
    return RuleReading(
        rule,
        content,
        matchers,
        opaques_of((content,)),
        frozenset(map(int, ports)),
        bool(rule.operations) or reads_http(rule.when),
    )


def merged(readings: Iterable[Matchers]) -> dict[Attribute, tuple[Matcher, ...]]:
    """All that is compared with what, in the order in which it is met."""
    found: dict[Attribute, dict[Matcher, None]] = {}
    for reading in readings:
        for attribute, matchers in reading.items():
            found.setdefault(attribute, {}).update(dict.fromkeys(matchers))
    return {attribute: tuple(matchers) for attribute, matchers in found.items()}
