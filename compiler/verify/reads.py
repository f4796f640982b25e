"""What a policy's claims read, so that each port can be encoded once for all that will be asked about it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

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
    Statement,
)
from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Predicate
from meshproof.compiler.smt.region import ComingFrom, Region, Satisfying, SentBy
from meshproof.compiler.verify.slashes import slashed_regions


def predicates_in(mesh: Mesh) -> Iterable[Predicate]:
    """Every condition of the policy: rules, routes, and what proofs speak of."""
    for rule in mesh.rules:
        yield rule.sources.matches
        yield rule.content
    for route in mesh.routes:
        for branch in route.branches:
            yield branch.condition
    for prove in mesh.proofs:
        for assumption in prove.assumptions:
            yield assumption.sources.matches
        for claim in prove.claims:
            for sources in sources_of(claim.statement):
                yield sources.matches
            yield from conditions_of(claim.statement)


def regions_by_node(mesh: Mesh) -> dict[NodeName, tuple[Region, ...]]:
    """For each node what its ports will be asked about."""
    found: dict[NodeName, dict[Region, None]] = {}
    for prove in mesh.proofs:
        for claim in prove.claims:
            regions = dict.fromkeys(regions_of(claim.statement))
            for destination in destinations_of(claim.statement):
                found.setdefault(destination.node, {}).update(regions)
    for node, region in slashed_regions(mesh):
        found.setdefault(node, {})[region] = None
    return {node: tuple(regions) for node, regions in found.items()}


def regions_of(statement: Statement) -> tuple[Region, ...]:
    """What a claim asks of each port that it speaks of."""
    regions: list[Region] = [Satisfying(condition) for condition in conditions_of(statement)]
    for sources in sources_of(statement):
        regions.append(ComingFrom(sources))
        regions.extend(SentBy(nodes) for nodes in (sources.members, sources.shared) if nodes)
    return tuple(regions)


def conditions_of(statement: Statement) -> tuple[Predicate, ...]:
    """The conditions of a claim."""
    match statement:
        case OnlyReaches(narrowing=narrowing) | NoRequest(narrowing=narrowing) | CanReach(narrowing=narrowing):
            return (narrowing,)
        case EveryRequestIs(required=required):
            return (required,)
        case EveryRequestSatisfies(narrowing=narrowing, required=required):
            return (narrowing, required)
        case CanCall(operation=operation, givens=givens):
            return (operation, givens)
        case EveryRequestIsMtls() | NoPath() | IsIsolated() | NoMirrorLeaves() | AtMostAttempts():
            return ()
        case _:
            assert_never(statement)


def sources_of(statement: Statement) -> tuple[SourceSet, ...]:
    """The sets of callers in a claim."""
    match statement:
        case OnlyReaches() | NoRequest() | CanReach() | CanCall() | AtMostAttempts():
            return (statement.sources,)
        case EveryRequestIs() | EveryRequestSatisfies() | EveryRequestIsMtls():
            return () if statement.sources is None else (statement.sources,)
        case NoPath(sources, _, bypassing, _):
            return (sources,) if bypassing is None else (sources, bypassing)
        case IsIsolated():
            return (statement.left, statement.right)
        case NoMirrorLeaves():
            return ()
        case _:
            assert_never(statement)


def destinations_of(statement: Statement) -> tuple[Destination, ...]:
    """The destinations in a claim."""
    match statement:
        case IsIsolated():
            return (*statement.left_destinations, *statement.right_destinations)
        case AtMostAttempts():
            return ()
        case _:
            return statement.destinations
