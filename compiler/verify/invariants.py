"""Claims, exactly as the table "Claims" of the language reference defines them."""

from __future__ import annotations

from time import perf_counter
from typing import assert_never

from meshproof.compiler.ir.assertions import (
    AtMostAttempts,
    CanCall,
    CanReach,
    Claim,
    EveryRequestIs,
    EveryRequestIsMtls,
    EveryRequestSatisfies,
    IsIsolated,
    NoMirrorLeaves,
    NoPath,
    NoRequest,
    OnlyReaches,
    Prove,
    Statement,
)
from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.claim_result import ClaimResult, Holds, Outcome
from meshproof.compiler.verify.invariants_attempts import check_attempts
from meshproof.compiler.verify.invariants_can import check_can_call, check_can_reach
from meshproof.compiler.verify.invariants_mirror import check_no_mirror
from meshproof.compiler.verify.invariants_path import check_isolated, check_no_path
from meshproof.compiler.verify.invariants_request import check_requests
from meshproof.compiler.verify.premises import listed
from meshproof.compiler.verify.unknown_accounts import doubtful_callers
from meshproof.compiler.verify.unseen_pods import doubtful_destinations
from meshproof.compiler.verify.unseen_ports import doubtful_gateways
from meshproof.compiler.verify.verdict import Proved, Unknown


def check_claim(analysis: Analysis, prove: Prove, claim: Claim) -> ClaimResult:
    """What is known of a claim that stands in a block: proved, refuted with a witness that replays, or unknown."""
    begin = perf_counter()
    try:
        empty = empty_set(analysis, claim.statement)
        if empty is not None:
            return ClaimResult(Unknown(f"the set of {empty} is empty"), empty=empty)
        outcome = _outcome(analysis, prove, claim.statement)
    except Undecided as undecided:
        outcome = Unknown(undecided.reason)
    if isinstance(outcome, Holds):
        outcome = _guessed(analysis.mesh, claim.statement) or outcome
    if isinstance(outcome, Holds):
        return ClaimResult(Proved(outcome.premises, (perf_counter() - begin) * 1000), outcome.is_vacuous)
    return ClaimResult(outcome)


def _guessed(mesh: Mesh, statement: Statement) -> Unknown | None:
    """What lifted files leave to guess, if the claim depends on it: nothing is proved of a guess."""
    callers = doubtful_callers(mesh, statement)
    if callers:
        return Unknown(f"no file says under which account {listed(callers)} {'run' if len(callers) > 1 else 'runs'}")
    gateways = doubtful_gateways(mesh, statement)
    if gateways:
        listens = "listen" if len(gateways) > 1 else "listens"
        return Unknown(f"no file says at which ports {listed(gateways)} {listens}, and rules name ports there")
    unmade = doubtful_destinations(mesh, statement)
    if unmade:
        one, other = unmade[0]
        return Unknown(f"no file says whether pods of `{one}` are those of `{other}`, which may be treated otherwise")
    return None


def _outcome(analysis: Analysis, prove: Prove, statement: Statement) -> Outcome:
    match statement:
        case OnlyReaches() | NoRequest() | EveryRequestIs() | EveryRequestSatisfies() | EveryRequestIsMtls():
            return check_requests(analysis, statement)
        case CanReach():
            return check_can_reach(analysis, statement)
        case CanCall():
            return check_can_call(analysis, statement)
        case NoPath():
            return check_no_path(analysis, statement, prove.assumptions)
        case IsIsolated():
            return check_isolated(analysis, statement, prove.assumptions)
        case NoMirrorLeaves():
            return check_no_mirror(analysis, statement)
        case AtMostAttempts():
            return check_attempts(analysis, statement, prove.assumptions)
        case _:
            assert_never(statement)


def empty_set(analysis: Analysis, statement: Statement) -> str | None:
    """Which set of the claim has nothing in it: "a claim over an empty set is an error". Raises Undecided."""
    match statement:
        case OnlyReaches(_, destinations) | EveryRequestIs(None, destinations) | EveryRequestIsMtls(None, destinations):
            return _first(destinations=_has_ports(destinations))
        case EveryRequestSatisfies(None, destinations):
            return _first(destinations=_has_ports(destinations))
        case (
            NoRequest(sources, destinations)
            | EveryRequestIs(sources, destinations)
            | EveryRequestSatisfies(sources, destinations)
            | EveryRequestIsMtls(sources, destinations)
            | CanReach(sources, destinations)
            | CanCall(sources, destinations)
            | NoPath(sources, destinations, None)
        ):
            return _first(sources=_has_callers(analysis, sources), destinations=_has_ports(destinations))
        case NoPath(sources, destinations, SourceSet() as bypassing):
            return _first(
                sources=_has_callers(analysis, sources),
                destinations=_has_ports(destinations),
                bypassing=_has_callers(analysis, bypassing),
            )
        case IsIsolated(left, _, right):
            return _first(sources=_has_callers(analysis, left), destinations=_has_callers(analysis, right))
        case NoMirrorLeaves(destinations):
            return _first(destinations=bool(destinations))
        case AtMostAttempts(_, sources):
            return _first(sources=_has_callers(analysis, sources))
        case _:
            return None


def _first(**sets: bool) -> str | None:
    return next((name for name, has_some in sets.items() if not has_some), None)


def _has_callers(analysis: Analysis, sources: SourceSet | None) -> bool:
    """Whether some caller is in the set, declared or not: `tagged a and tagged b` may be nobody."""
    if sources is None:
        return False
    return sources.has_internet or bool(sources.members) or analysis.has_callers(sources)


def _has_ports(destinations: tuple[Destination, ...]) -> bool:
    return any(destination.ports is None or destination.ports for destination in destinations)
