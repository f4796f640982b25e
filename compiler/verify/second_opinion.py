"""A second opinion on claims about single requests: another encoding, over strings instead of classes, other engines.

It can only agree or not know. If it disagrees one of the two encodings is wrong, and no verdict of this run should be
believed: that is an error of ours, never a refutation of a claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from meshproof.compiler.ir.assertions import (
    CanCall,
    EveryRequestIs,
    EveryRequestIsMtls,
    EveryRequestSatisfies,
    NoRequest,
    OnlyReaches,
    Statement,
)
from meshproof.compiler.ir.entities import External
from meshproof.compiler.smt.region import Region
from meshproof.compiler.smt.smtlib import closed
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.smt.strings_engines import engines
from meshproof.compiler.smt.strings_patterns import NotCovered
from meshproof.compiler.smt.strings_policy import script
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.invariants_can import refused_calls
from meshproof.compiler.verify.invariants_request import RequestClaim, scopes_of, violation_of
from meshproof.compiler.verify.questions import Expected, Question
from meshproof.compiler.verify.scope import Scope

TIMEOUT_MS = 3_000


class OpinionsDisagree(AssertionError):  # noqa: N818  it says what happened
    """Two encodings of one question have different answers: a bug in one of them."""


@dataclass(frozen=True, slots=True)
class CrossCheck:
    """What the second opinion says of a claim.

    `agreed` are the ports and the engines that came to the same answer, `unknown` those of which there is no second
    opinion, and why. A claim is confirmed if each of its ports has one. `questions` are those that were answered.
    """

    agreed: tuple[tuple[str, str], ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()
    questions: tuple[Question, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_confirmed(self) -> bool:
        """Whether some engine agreed at every port."""
        return bool(self.agreed) and {port for port, _ in self.unknown} <= {port for port, _ in self.agreed}


def cross_check(analysis: Analysis, statement: Statement, timeout_ms: int = TIMEOUT_MS) -> CrossCheck:
    """A second opinion on a claim, port by port; of the kinds that speak of chains or routes there is none.

    Raises OpinionsDisagree.
    """
    breaking = _breaking(analysis, statement)
    if breaking is None:
        return CrossCheck(unknown=(("", "a claim of this kind has no second encoding"),))
    asked: dict[Question, None] = {}
    found = tuple(_opinions(analysis, breaking, timeout_ms, asked))
    return CrossCheck(
        tuple((port, who) for port, who, reason in found if reason is None),
        tuple((port, f"{who}: {reason}") for port, who, reason in found if reason is not None),
        tuple(asked),
    )


def _breaking(analysis: Analysis, statement: Statement) -> tuple[tuple[Scope, Region], ...] | None:
    """The requests that break a claim, port by port; None if it is not about single requests."""
    match statement:
        case OnlyReaches() | NoRequest() | EveryRequestIs() | EveryRequestSatisfies() | EveryRequestIsMtls():
            scopes = scopes_of(analysis, statement.destinations)
            return tuple(
                (scope, violation_of(scope.policy, statement)) for scope in scopes if _has_any(scope, statement)
            )
        case CanCall():
            return refused_calls(analysis, statement)
        case _:
            return None


def _has_any(scope: Scope, claim: RequestClaim) -> bool:
    """Whether anyone knows: of the connection to an external nobody does."""
    return not (isinstance(scope.policy.node, External) and isinstance(claim, EveryRequestIsMtls))


def _opinions(
    analysis: Analysis, breaking: Iterable[tuple[Scope, Region]], timeout_ms: int, asked: dict[Question, None]
) -> Iterator[tuple[str, str, str | None]]:
    """A port, who was asked, and why there is no opinion, if there is none. Takes note of what was answered."""
    for scope, region in breaking:
        try:
            text = script(analysis.mesh, scope.policy, region)
            is_empty = scope.is_empty(region)
        except NotCovered as missing:
            yield scope.name, "strings", f"{missing.what} is not encoded"
            continue
        except Undecided as undecided:
            yield scope.name, "classes", undecided.reason
            continue
        for name, ask in engines().items():
            silence = _compared(scope, region, name, is_empty=is_empty, found=ask(text, timeout_ms))
            if silence is None:
                expected = Expected.UNSATISFIABLE if is_empty else Expected.SATISFIABLE
                asked[Question(scope.name, expected, closed(text), is_over_strings=True)] = None
            yield scope.name, name, silence


def _compared(scope: Scope, region: Region, name: str, *, is_empty: bool, found: bool | None) -> str | None:
    if found is None:
        return "no answer in time"
    if found is is_empty:
        first, second = ("nothing", "something") if is_empty else ("something", "nothing")
        raise OpinionsDisagree(f"at {scope.name} classes find {first} and {name} finds {second} in {region}")
    return None
