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
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.ir.predicate import Predicate
from meshproof.compiler.smt.region import ComingFrom, Region, Satisfying, SentBy
from meshproof.compiler.verify.slashes import is_denying_paths, slashed


def predicates_in(mesh: Mesh) -> Iterable[Predicate]:
    """Every condition of the policy that may speak of callers: rules, routes, and what proofs speak of."""
    for rule in mesh.rules:
        yield rule.sources.matches
        yield rule.when  # operations are methods and paths
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


class Asked:
    """What the ports of each node will be asked about, worked out for a node when it is looked at."""

    def __init__(self, mesh: Mesh) -> None:
        self._statements: dict[NodeName, list[Statement]] = {}
        self._denies: dict[NodeName, list[AuthzRule]] = {}
        self._slashed: dict[RuleId, Region] = {}
        for prove in mesh.proofs:
            for claim in prove.claims:
                for destination in destinations_of(claim.statement):
                    self._statements.setdefault(destination.node, []).append(claim.statement)
        for rule in mesh.rules:
            if is_denying_paths(rule):
                for name in dict.fromkeys(place.node for place in rule.destinations):
                    self._denies.setdefault(name, []).append(rule)

    def regions(self, node: NodeName) -> tuple[Region, ...]:
        """What the ports of the node will be asked about, each once."""
        found: dict[Region, None] = {}
        for statement in self._statements.get(node, ()):
            found.update(dict.fromkeys(regions_of(statement)))
        for rule in self._denies.get(node, ()):
            found[self._slashed_region(rule)] = None
        return tuple(found)

    def _slashed_region(self, rule: AuthzRule) -> Region:
        region = self._slashed.get(rule.id)
        if region is None:
            region = self._slashed[rule.id] = Satisfying(slashed(rule.content))
        return region


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
