"""Claims about single requests: `only`, `no request`, `every request`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias, assert_never

from meshproof.compiler.ir.assertions import (
    EveryRequestIs,
    EveryRequestIsMtls,
    EveryRequestSatisfies,
    NoRequest,
    OnlyReaches,
)
from meshproof.compiler.ir.entities import Destination, External
from meshproof.compiler.ir.predicate import Always
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.region import Admitted, Outside, Region, Satisfying, both
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.claim_result import Holds, Outcome, weakest
from meshproof.compiler.verify.premises import premises_of
from meshproof.compiler.verify.properties import (
    ALLOWED,
    every_is_mtls,
    every_satisfies,
    no_request,
    only_reaches,
    senders,
    strangers,
    unverified,
)
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import Empty, Example, Refuted, Unknown

RequestClaim: TypeAlias = OnlyReaches | NoRequest | EveryRequestIs | EveryRequestSatisfies | EveryRequestIsMtls


@dataclass(frozen=True, slots=True)
class _Obligation:
    """What a claim demands of a port: nothing in `violation`.

    It says something if some request is in `premise`, and some, whatever the rules are, in `breaking`.
    """

    violation: Region
    premise: Region
    breaking: Region


def check_requests(analysis: Analysis, claim: RequestClaim) -> Outcome:
    """The claim, port by port; refuted by the first port, in the order of names, that breaks it."""
    scopes = tuple(scopes_of(analysis, claim.destinations))
    outcomes = [_at(scope, claim) for scope in scopes]
    found = weakest(outcomes)
    if not isinstance(found, Holds):
        return found
    is_vacuous = all(_is_idle(scope, _obligation(scope.policy, claim)) for scope in scopes)
    return Holds(premises_of(analysis, scopes), is_vacuous)


def scopes_of(analysis: Analysis, destinations: Iterable[Destination]) -> Iterable[Scope]:
    """The ports meant at which something may be allowed, in order."""
    wanted = {destination.node: destination.ports for destination in destinations}
    for key in analysis.keys:
        if key.node in wanted:
            ports = wanted[key.node]
            if ports is None or key.port in ports:
                yield analysis.scope(key)


def _at(scope: Scope, claim: RequestClaim) -> Outcome:
    if isinstance(claim, EveryRequestIsMtls) and isinstance(scope.policy.node, External):
        return Unknown(f"nothing is known of the connection from the sender's proxy to `{scope.key.node}`")
    answer = scope.is_satisfiable(_obligation(scope.policy, claim).violation)
    match answer:
        case Example(witness):
            return Refuted(witness)
        case Empty():
            return Holds(())
        case Unknown():
            return answer
        case _:
            assert_never(answer)


def violation_of(policy: PortPolicy, claim: RequestClaim) -> Region:
    """The requests to a port that break the claim."""
    return _obligation(policy, claim).violation


def _is_idle(scope: Scope, obligation: _Obligation) -> bool:
    """Whether the claim says nothing of the port."""
    return scope.is_empty(obligation.premise) or scope.is_empty(obligation.breaking)


def _obligation(policy: PortPolicy, claim: RequestClaim) -> _Obligation:
    match claim:
        case OnlyReaches(sources, _, narrowing):
            narrowed = Satisfying(narrowing)
            return _Obligation(
                only_reaches(sources, narrowing), both(ALLOWED, narrowed), both(narrowed, strangers(sources))
            )
        case NoRequest(sources, _, narrowing):
            asked = both(Satisfying(narrowing), senders(policy, sources))
            return _Obligation(no_request(policy, sources, narrowing), asked, asked)
        case EveryRequestIs(sources, _, required):
            wider = EveryRequestSatisfies(sources, claim.destinations, Always(), required)
            return _obligation(policy, wider)
        case EveryRequestSatisfies(sources, _, narrowing, required):
            asked = both(Satisfying(narrowing), senders(policy, sources))
            return _Obligation(
                every_satisfies(policy, sources, narrowing, required),
                both(ALLOWED, asked),
                both(asked, Outside(Satisfying(required))),
            )
        case EveryRequestIsMtls(sources):
            asked = senders(policy, sources)
            return _Obligation(every_is_mtls(policy, sources), both(Admitted(), asked), both(asked, unverified(policy)))
        case _:
            assert_never(claim)
