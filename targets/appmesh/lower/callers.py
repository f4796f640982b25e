"""Which callers a set of sources takes: one of a known identity, one that nothing declares, one without identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import Always, And, Never, Not, Opaque, Or, Predicate, SourceIdentity, Test
from meshproof.compiler.patterns import pattern


@dataclass(frozen=True, slots=True)
class Known:
    """The caller with this identity."""

    identity: SpiffeId


@dataclass(frozen=True, slots=True)
class Strangers:
    """Callers of a trust domain with any identity that is not among the known ones."""

    trust_domain: str
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plaintext:
    """Callers without identity. `is_at_edge`: at a gateway, where they are the internet."""

    is_at_edge: bool = False


Caller = Known | Strangers | Plaintext


def takes(sources: SourceSet, caller: Caller) -> bool | None:
    """Whether the set has the caller; None where it has some of the strangers, or may have."""
    if isinstance(caller, Plaintext) and caller.is_at_edge and sources.has_internet:
        return True
    return _holds(sources.matches, caller)


def has_identity(matcher: Matcher, caller: Caller) -> bool | None:
    """Whether the identity of the caller passes; None where that of some strangers does, or may."""
    return _passes(matcher, caller)


def identities_named(predicate: Predicate) -> frozenset[str]:
    """Every identity that the predicate compares with as a whole."""
    match predicate:
        case Test(SourceIdentity(), Exact(value)):
            return frozenset((value,))
        case Not(operand):
            return identities_named(operand)
        case And(operands) | Or(operands):
            return frozenset().union(*map(identities_named, operands))
        case _:
            return frozenset()


def _holds(predicate: Predicate, caller: Caller) -> bool | None:
    match predicate:
        case Always():
            return True
        case Never():
            return False
        case Opaque():
            return None
        case Test(attribute, matcher):
            if not isinstance(attribute, SourceIdentity):
                return None
            return _passes(matcher, caller)
        case Not(operand):
            value = _holds(operand, caller)
            return None if value is None else not value
        case And(operands):
            values = [_holds(one, caller) for one in operands]
            return False if False in values else None if None in values else True
        case Or(operands):
            values = [_holds(one, caller) for one in operands]
            return True if True in values else None if None in values else False
        case _:
            assert_never(predicate)


def _passes(matcher: Matcher, caller: Caller) -> bool | None:
    match caller:
        case Plaintext():
            return False
        case Known(identity):
            return _matches(matcher, identity.uri)
        case Strangers(trust_domain, known):
            return _stranger_passes(matcher, f"spiffe://{trust_domain}/", known)
        case _:
            assert_never(caller)


def _stranger_passes(matcher: Matcher, start: str, known: frozenset[str]) -> bool | None:
    match matcher:
        case Present():
            return True
        case Exact(value):
            return None if value.startswith(start) and value not in known else False
        case Prefix(value):
            if start.startswith(value):
                return True
            return None if value.startswith(start) else False
        case _:
            return None


def _matches(matcher: Matcher, uri: str) -> bool | None:
    match matcher:
        case Present():
            return True
        case Exact(value):
            return uri == value
        case Prefix(value):
            return uri.startswith(value)
        case Regex(text):
            return pattern.matches(pattern.Regex(text), uri)
        case _:
            return None
