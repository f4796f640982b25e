"""What the conditions in play look at: for each attribute the matchers that any of them holds a value against."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.predicate import (
    And,
    Attribute,
    Claim,
    Not,
    Opaque,
    Or,
    Predicate,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)

_ISSUER = TokenIssuer()
_SUBJECT = Claim(("sub",))
_PRESENTER = Claim(("azp",))
AUDIENCE = Claim(("aud",))


def canonical(attribute: Attribute) -> Attribute:
    """One name for what two attributes read alike: `token.subject` is the claim `sub`, and so on (RFC 7519 §4.1).

    `token.audience` is not the claim `aud`: a valid token that leaves it out has its issuer's.
    """
    if isinstance(attribute, Claim):
        return _ISSUER if attribute.path == ("iss",) else attribute
    if isinstance(attribute, TokenSubject):
        return _SUBJECT
    return _PRESENTER if isinstance(attribute, TokenPresenter) else attribute


def matchers_by_attribute(predicates: Iterable[Predicate]) -> dict[Attribute, tuple[Matcher, ...]]:
    """Every attribute that a condition reads, with its matchers, both in the order in which they are met."""
    found: dict[Attribute, dict[Matcher, None]] = {}
    for test in tests_of(predicates):
        attribute = canonical(test.attribute)
        matchers = found.get(attribute)
        if matchers is None:
            matchers = found[attribute] = {}
        matchers[test.matcher] = None
        if isinstance(attribute, TokenAudience):
            found.setdefault(AUDIENCE, {})[test.matcher] = None
    return {attribute: tuple(matchers) for attribute, matchers in found.items()}


def tests_of(predicates: Iterable[Predicate]) -> Iterable[Test]:
    """Every test in the conditions, in order, repetitions too."""
    for predicate in predicates:
        if isinstance(predicate, Test):  # no `match`: it is asked of every rule of a large policy
            yield predicate
        elif isinstance(predicate, And | Or):
            yield from tests_of(predicate.operands)
        elif isinstance(predicate, Not):
            yield from tests_of((predicate.operand,))


def opaques_of(predicates: Iterable[Predicate]) -> tuple[Opaque, ...]:
    """What is not modelled in the conditions, each once."""
    found: dict[Opaque, None] = {}
    for predicate in predicates:
        match predicate:
            case Opaque():
                found[predicate] = None
            case Not(operand):
                found.update(dict.fromkeys(opaques_of((operand,))))
            case And(operands) | Or(operands):
                found.update(dict.fromkeys(opaques_of(operands)))
            case _:
                continue
    return tuple(found)
