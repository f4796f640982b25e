"""Sets of requests to one port, as questions name them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.names import AuthorizerName, NodeName, RuleId
from meshproof.compiler.ir.predicate import Predicate


@dataclass(frozen=True, slots=True)
class Everything:
    """Every well-formed request with a normal path and no token that the port refuses."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No request."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """T: what passes transport, allowed or not."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """A: what is allowed. `without` are rules that are taken out first."""

    without: tuple[RuleId, ...] = ()


@dataclass(frozen=True, slots=True)
class MatchedBy:
    """M_r: what one rule in force matches here, whatever else decides."""

    rule: RuleId


@dataclass(frozen=True, slots=True)
class Satisfying:
    """Where a condition holds."""

    predicate: Predicate


@dataclass(frozen=True, slots=True)
class ComingFrom:
    """Whose caller is in a set, by identity; without identity at a gateway counts as `internet`."""

    sources: SourceSet


@dataclass(frozen=True, slots=True)
class SentBy:
    """Whose caller has the identity of one of these declared nodes."""

    nodes: tuple[NodeName, ...]


@dataclass(frozen=True, slots=True)
class Identified:
    """Whose caller has a verified identity."""


@dataclass(frozen=True, slots=True)
class Answered:
    """For which an authorizer says yes if it is asked."""

    authorizer: AuthorizerName


@dataclass(frozen=True, slots=True)
class Taken:
    """What a branch of the port's route takes: its condition and that of none before it. None: no branch at all."""

    branch: str | None


@dataclass(frozen=True, slots=True)
class Conditional:
    """What agrees with a branch's own condition, whatever stands before it."""

    branch: str


@dataclass(frozen=True, slots=True)
class Both:
    """What is in every part; of no parts it is everything."""

    parts: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """What is in some part."""

    parts: tuple[Region, ...]


@dataclass(frozen=True, slots=True)
class Outside:
    """What is not in the part."""

    part: Region


Region: TypeAlias = (
    Everything
    | Nothing
    | Admitted
    | Allowed
    | MatchedBy
    | Satisfying
    | ComingFrom
    | SentBy
    | Identified
    | Answered
    | Taken
    | Conditional
    | Both
    | Either
    | Outside
)


def both(*parts: Region) -> Region:
    """What is in every part."""
    return parts[0] if len(parts) == 1 else Both(parts)


def either(*parts: Region) -> Region:
    """What is in some part."""
    return parts[0] if len(parts) == 1 else Either(parts)


def predicates_of(region: Region) -> tuple[Predicate, ...]:
    """The conditions that the region reads beyond the policy's own, sets of callers aside."""
    match region:
        case Satisfying(predicate):
            return (predicate,)
        case Both(parts) | Either(parts):
            return tuple(predicate for part in parts for predicate in predicates_of(part))
        case Outside(part):
            return predicates_of(part)
        case _:
            return ()


def sets_of(region: Region) -> tuple[ComingFrom | SentBy, ...]:
    """The sets of callers in the region."""
    match region:
        case ComingFrom() | SentBy():
            return (region,)
        case Both(parts) | Either(parts):
            return tuple(found for part in parts for found in sets_of(part))
        case Outside(part):
            return sets_of(part)
        case _:
            return ()
