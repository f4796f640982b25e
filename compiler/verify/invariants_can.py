"""Claims about what must go on working: `can reach`, `can call`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from meshproof.compiler.ir.assertions import CanCall, CanReach
from meshproof.compiler.ir.entities import Destination, Layer, SourceSet
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import reads_http
from meshproof.compiler.smt.callers import members
from meshproof.compiler.smt.region import Answered, Outside, Region, Satisfying, both
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.claim_result import Holds, Outcome, weakest
from meshproof.compiler.verify.invariants_request import scopes_of
from meshproof.compiler.verify.premises import premises_of
from meshproof.compiler.verify.properties import ALLOWED, called, can_call
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import Empty, Example, Refuted, Unknown
from meshproof.compiler.verify.witness import noted, with_note

_FIRST_UNASSIGNED = 49152
_ANY = 2


def check_can_reach(analysis: Analysis, claim: CanReach) -> Outcome:
    """For each caller of the set and each port meant some request is allowed, whoever is asked saying yes.

    A condition that reads HTTP speaks of the HTTP ports of a destination alone, if it has any.
    """
    shut = _shut(analysis, claim.destinations)
    if shut is not None:
        return Refuted(noted(shut))
    scopes = _speaking(analysis, claim.destinations, is_http=reads_http(claim.narrowing))
    found = weakest([_reached(scope, claim) for scope in scopes])
    return Holds(premises_of(analysis, scopes, says_yes=True)) if isinstance(found, Holds) else found


def _reached(scope: Scope, claim: CanReach) -> Outcome:
    asked = both(Satisfying(claim.narrowing), *(Answered(name) for name in scope.policy.authorizers))
    region = both(ALLOWED, asked)
    if scope.policy.mode is MtlsMode.DISABLED:
        return _refused(scope, asked, None) if scope.is_empty(region) else Holds(())
    reaching = scope.callers_in(region)
    callers = scope.callers(region)
    refusal = _never_verified(scope, claim.sources)
    if refusal is not None:
        return refusal
    wanted = callers.of_sources(claim.sources, is_gateway=scope.policy.is_gateway)
    wanted |= callers.of_nodes(claim.sources.members)
    if not wanted:
        return Refuted(noted(f"no caller of `{claim.sources.text}` can come to `{scope.name}`"))
    if scope.is_recorded:
        for caller in members(wanted & reaching):
            scope.is_empty(region, caller)
    missing = next(iter(members(wanted & ~reaching)), None)
    return Holds(()) if missing is None else _refused(scope, asked, missing)


def _refused(scope: Scope, asked: Region, caller: int | None) -> Outcome:
    """A refutation: one request of the kind that is asked for, all of which are refused."""
    answer = scope.is_satisfiable(both(asked, Outside(ALLOWED)), caller)
    if isinstance(answer, Example):
        return Refuted(with_note(answer.witness, "no request of this kind from this caller is allowed"))
    return answer if isinstance(answer, Unknown) else Refuted(noted(f"there is no such request to `{scope.name}`"))


def check_can_call(analysis: Analysis, claim: CanCall) -> Outcome:
    """Every well-formed request of the set with the operation and what is given is allowed."""
    silent = _silent(claim.destinations) or _closed(analysis, claim.destinations)
    if silent is not None:
        return Refuted(noted(silent))
    scopes = _speaking(analysis, claim.destinations, is_http=True)
    found = weakest([_callable(scope, claim) for scope in scopes])
    if not isinstance(found, Holds):
        return found
    is_vacuous = all(
        scope.is_empty(called(scope.policy, claim.sources, claim.operation, claim.givens)) for scope in scopes
    )
    return Holds(premises_of(analysis, scopes, says_yes=True), is_vacuous)


def refused_calls(analysis: Analysis, claim: CanCall) -> tuple[tuple[Scope, Region], ...] | None:
    """The ports that the claim speaks of, each with the requests that break it there, so that none is all it takes.

    None where it is refuted for another reason than a request: a member without ports, or whom no handshake verifies.
    """
    scopes = _speaking(analysis, claim.destinations, is_http=True)
    if (
        _silent(claim.destinations)
        or _closed(analysis, claim.destinations)
        or any(_never_verified(scope, claim.sources) for scope in scopes)
    ):
        return None
    return tuple((scope, can_call(scope.policy, claim.sources, claim.operation, claim.givens)) for scope in scopes)


def _callable(scope: Scope, claim: CanCall) -> Outcome:
    refusal = _never_verified(scope, claim.sources)
    if refusal is not None:
        return refusal
    answer = scope.is_satisfiable(can_call(scope.policy, claim.sources, claim.operation, claim.givens))
    match answer:
        case Example(witness):
            return Refuted(witness)
        case Empty():
            return Holds(())
        case Unknown():
            return answer
        case _:
            assert_never(answer)


def _never_verified(scope: Scope, sources: SourceSet) -> Refuted | None:
    """A member whose identity is of a domain that nobody trusts: no connection of it stands."""
    if scope.policy.mode is MtlsMode.DISABLED or scope.policy.is_observed:
        return None
    unknown = scope.untrusted.intersection(sources.members)
    if not unknown:
        return None
    return Refuted(noted(f"the identity of `{min(unknown)}` is of a trust domain that is not trusted"))


def _speaking(analysis: Analysis, destinations: Iterable[Destination], *, is_http: bool) -> tuple[Scope, ...]:
    """The ports meant; for a claim that reads HTTP only those that carry it, unless a destination has none such.

    Of a workload of foreign files those that its Services show: what it does on others is nobody's to ask for.
    """
    places = tuple(destinations)
    found = _shown(tuple(scopes_of(analysis, places)), places)
    speaking = {scope.key.node for scope in found if scope.policy.layer is not Layer.TCP}
    return tuple(
        scope for scope in found if not is_http or scope.policy.layer is not Layer.TCP or scope.key.node not in speaking
    )


def _shown(scopes: tuple[Scope, ...], destinations: tuple[Destination, ...]) -> tuple[Scope, ...]:
    """Of nodes that are meant with every port the declared ones; without such those that rules name, else any."""
    whole = {place.node for place in destinations if place.ports is None}
    best: dict[NodeName, int] = {}
    for scope in scopes:
        node = scope.key.node
        best[node] = min(best.get(node, _ANY), _rank(scope))
    return tuple(scope for scope in scopes if scope.key.node not in whole or _rank(scope) == best[scope.key.node])


def _rank(scope: Scope) -> int:
    if scope.key.is_declared:
        return 0
    return 1 if scope.key.port < _FIRST_UNASSIGNED else _ANY


def _shut(analysis: Analysis, destinations: Iterable[Destination]) -> str | None:
    """Why something that is named cannot be reached: it has no port, or one that nobody declared and nothing allows."""
    destinations = tuple(destinations)
    known = {(key.node, key.port) for key in analysis.keys}
    named = ((place.node, port) for place in destinations for port in place.ports or ())
    undeclared = next((f"`{node}:{port}`" for node, port in named if (node, port) not in known), None)
    if undeclared is not None:
        return f"nobody declared {undeclared}, and nothing is allowed there"
    return _silent(destinations) or _closed(analysis, destinations)


def _closed(analysis: Analysis, destinations: Iterable[Destination]) -> str | None:
    """A workload of foreign files that shows no port and where nothing is allowed at any."""
    known = {key.node for key in analysis.keys}
    closed = next((place.node for place in destinations if place.ports is None and place.node not in known), None)
    return None if closed is None else f"nothing is allowed at any port of `{closed}`"


def _silent(destinations: Iterable[Destination]) -> str | None:
    """A member of the set that only calls: "for each d in D" speaks of it too."""
    return next((f"`{place.node}` has no port: it only calls" for place in destinations if place.ports == ()), None)
