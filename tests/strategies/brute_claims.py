"""Whether claims hold, by trying every request: the table "Claims" of the language reference, read plainly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from tests.strategies.brute import Judged, World
from tests.strategies.brute_graph import attempts_hold, is_isolated, no_mirror_leaves, no_path

from meshproof.compiler.ir.assertions import (
    AtMostAttempts,
    CanCall,
    CanReach,
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
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.predicate import Always, Predicate, reads_http
from meshproof.compiler.semantics import is_observed
from meshproof.compiler.smt.policy import PortKey


def claim_holds(world: World, prove: Prove, statement: Statement) -> bool | None:
    """The truth of a claim; None where nothing is known of an external's connection."""
    match statement:
        case OnlyReaches(sources, places, narrowing):
            shared = world.identities(sources.shared)
            return all(
                one.is_from(sources) and one.facts.identity not in shared
                for one in world.at(places)
                if one.is_allowed and one.satisfies(narrowing)
            )
        case NoRequest(sources, places, narrowing):
            return not any(
                one.is_allowed and one.satisfies(narrowing) and world.may_be_of(one, sources)
                for one in world.at(places)
            )
        case EveryRequestIs(sources, places, required):
            return _every(world.at(places), world, sources, (Always(), required))
        case EveryRequestSatisfies(sources, places, narrowing, required):
            return _every(world.at(places), world, sources, (narrowing, required))
        case EveryRequestIsMtls(sources, places):
            return _is_mtls(world, sources, places)
        case CanReach(sources, places, narrowing):
            keys = world.speaking(places, is_http=reads_http(narrowing))
            return _have_ports(places) and all(_can_reach(world, key, sources, narrowing) for key in keys)
        case CanCall(sources, places, operation, givens):
            keys = world.speaking(places, is_http=True)
            return _have_ports(places) and all(_can_call(world, key, sources, (operation, givens)) for key in keys)
        case NoPath():
            return no_path(world, statement, prove.assumptions)
        case IsIsolated():
            return is_isolated(world, statement, prove.assumptions)
        case NoMirrorLeaves():
            return no_mirror_leaves(world, statement)
        case AtMostAttempts():
            return attempts_hold(world, statement, prove.assumptions)
        case _:
            assert_never(statement)


def _every(
    judged: Iterable[Judged], world: World, sources: SourceSet | None, conditions: tuple[Predicate, Predicate]
) -> bool:
    narrowing, required = conditions
    return all(
        one.satisfies(required)
        for one in judged
        if one.is_allowed and world.may_be_of(one, sources) and one.satisfies(narrowing)
    )


def _is_mtls(world: World, sources: SourceSet | None, places: tuple[Destination, ...]) -> bool | None:
    asked = [one for one in world.at(places) if not world.is_external(one.key)]
    admitted = [one for one in asked if one.is_admitted and world.may_be_of(one, sources)]
    if any(one.facts.identity is None for one in admitted):
        return False
    return None if any(world.is_external(key) for key in world.keys(places)) else True


def _refuses_untrusted(world: World, key: PortKey, sources: SourceSet) -> bool:
    is_checked = world.mode(key) is not MtlsMode.DISABLED and not is_observed(
        world.mesh, world.nodes[key.node], world.day
    )
    return is_checked and world.untrusted(sources.members)


def _have_ports(places: Iterable[Destination]) -> bool:
    """Of each destination, one that only calls too, something must be allowed."""
    return all(place.ports != () for place in places)


def _can_reach(world: World, key: PortKey, sources: SourceSet, narrowing: Predicate) -> bool:
    good = [one for one in world.judged[key] if one.is_allowed and one.says_yes and one.satisfies(narrowing)]
    if world.mode(key) is MtlsMode.DISABLED:
        return bool(good)
    if _refuses_untrusted(world, key, sources):
        return False
    wanted = {one.caller for one in world.judged[key] if world.may_be_of(one, sources)}
    return bool(wanted) and wanted <= {one.caller for one in good}


def _can_call(world: World, key: PortKey, sources: SourceSet, conditions: tuple[Predicate, Predicate]) -> bool:
    if _refuses_untrusted(world, key, sources):
        return False
    return all(
        one.is_allowed
        for one in world.judged[key]
        if one.says_yes and world.may_be_of(one, sources) and all(one.satisfies(condition) for condition in conditions)
    )


def is_idle(world: World, statement: Statement) -> bool | None:
    """Whether nothing could break a claim about single requests; None for the other kinds."""
    match statement:
        case OnlyReaches(sources, places, narrowing):
            shared = world.identities(sources.shared)
            return all(
                not any(one.is_allowed and one.satisfies(narrowing) for one in world.judged[key])
                or not any(
                    one.satisfies(narrowing) and (not one.is_from(sources) or one.facts.identity in shared)
                    for one in world.judged[key]
                )
                for key in world.keys(places)
            )
        case NoRequest(sources, places, narrowing):
            return not any(one.satisfies(narrowing) and world.may_be_of(one, sources) for one in world.at(places))
        case EveryRequestIs(sources, places, required):
            return _is_idle_every(world, sources, places, (Always(), required))
        case EveryRequestSatisfies(sources, places, narrowing, required):
            return _is_idle_every(world, sources, places, (narrowing, required))
        case EveryRequestIsMtls(sources, places):
            return all(
                not any(one.is_admitted and world.may_be_of(one, sources) for one in world.judged[key])
                or not any(one.facts.identity is None and world.may_be_of(one, sources) for one in world.judged[key])
                for key in world.keys(places)
            )
        case _:
            return None


def _is_idle_every(
    world: World,
    sources: SourceSet | None,
    places: tuple[Destination, ...],
    conditions: tuple[Predicate, Predicate],
) -> bool:
    narrowing, required = conditions
    for key in world.keys(places):
        asked = [one for one in world.judged[key] if world.may_be_of(one, sources) and one.satisfies(narrowing)]
        if any(one.is_allowed for one in asked) and any(not one.satisfies(required) for one in asked):
            return False
    return True
