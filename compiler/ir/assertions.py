"""Claims, tests and waivers. What each claim means is the table "Claims" of the language reference."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.names import NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import Predicate
from meshproof.compiler.ir.request import Request


@dataclass(frozen=True, slots=True)
class OnlyReaches:
    """Every allowed request to the destinations with `narrowing` has its source in `sources`."""

    sources: SourceSet
    destinations: tuple[Destination, ...]
    narrowing: Predicate


@dataclass(frozen=True, slots=True)
class NoRequest:
    """No allowed request from the sources to the destinations has `narrowing`."""

    sources: SourceSet
    destinations: tuple[Destination, ...]
    narrowing: Predicate


@dataclass(frozen=True, slots=True)
class EveryRequestIs:
    """Every allowed request (from `sources`, None: any) to the destinations satisfies `required`, an operation."""

    sources: SourceSet | None
    destinations: tuple[Destination, ...]
    required: Predicate


@dataclass(frozen=True, slots=True)
class EveryRequestSatisfies:
    """Every allowed request with `narrowing` satisfies `required`; on TCP an HTTP test is false."""

    sources: SourceSet | None
    destinations: tuple[Destination, ...]
    narrowing: Predicate
    required: Predicate


@dataclass(frozen=True, slots=True)
class EveryRequestIsMtls:
    """Every request that passes transport, allowed or not, has a verified identity."""

    sources: SourceSet | None
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class CanReach:
    """For each source and each destination some request with `narrowing` is allowed."""

    sources: SourceSet
    destinations: tuple[Destination, ...]
    narrowing: Predicate


@dataclass(frozen=True, slots=True)
class CanCall:
    """Every well-formed request of each source with this operation, these givens and no invalid token is allowed."""

    sources: SourceSet
    destinations: tuple[Destination, ...]
    operation: Predicate
    givens: Predicate


@dataclass(frozen=True, slots=True)
class NoPath:
    """No chain of calls leads from a source to a destination once the nodes of `bypassing` are gone.

    `within_hops` bounds the length of the chains that are looked at; None is no bound.
    """

    sources: SourceSet
    destinations: tuple[Destination, ...]
    bypassing: SourceSet | None
    within_hops: int | None


@dataclass(frozen=True, slots=True)
class IsIsolated:
    """No path and no mirror, either way."""

    left: SourceSet
    left_destinations: tuple[Destination, ...]
    right: SourceSet
    right_destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True)
class NoMirrorLeaves:
    """No mirror of the destinations' traffic goes to a node outside of `zone`."""

    destinations: tuple[Destination, ...]
    zone: tuple[NodeName, ...]
    zone_text: str


@dataclass(frozen=True, slots=True)
class AtMostAttempts:
    """The largest product of (1 + retries) along a chain of calls from a source is at most `attempts`."""

    attempts: int
    sources: SourceSet


Statement = (
    OnlyReaches
    | NoRequest
    | EveryRequestIs
    | EveryRequestSatisfies
    | EveryRequestIsMtls
    | CanReach
    | CanCall
    | NoPath
    | IsIsolated
    | NoMirrorLeaves
    | AtMostAttempts
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One line of a `prove` block; `text` is the line as the formatter writes it."""

    statement: Statement
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Assumption:
    """`assume unreachable SET`: these undeclared callers are no station of a path."""

    sources: SourceSet
    because: str | None
    owner: str | None
    until: date | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Control:
    """A control of a framework that a proof speaks for."""

    framework: str
    control: str


@dataclass(frozen=True, slots=True)
class Prove:
    """A titled block of claims."""

    title: str
    controls: tuple[Control, ...]
    claims: tuple[Claim, ...]
    assumptions: tuple[Assumption, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class ExpectDecision:
    """The outcome of a test: allowed or refused; `at` names the step, `by` a rule among the deciders."""

    is_allowed: bool
    at: str | None = None
    by: RuleId | None = None


@dataclass(frozen=True, slots=True)
class ExpectRoute:
    """The outcome of a test of the sender's step: shares per version or `service:port`."""

    destinations: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class TestLine:
    """One line of a test: each of `requests` (one for each member of the source) must have the outcome."""

    __test__ = False

    requests: tuple[Request, ...]
    expected: ExpectDecision | ExpectRoute
    text: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class TestBlock:
    """A named block of test lines."""

    __test__ = False

    name: str
    lines: tuple[TestLine, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Waiver:
    """`waive CODE on SUBJECT`: the finding is accepted by name until a day."""

    code: str
    subject: str
    because: str | None
    owner: str | None
    until: date | None
    origin: Origin
