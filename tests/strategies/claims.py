"""Random claims over a random mesh, of every kind."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from tests.strategies import vocabulary as words
from tests.strategies.predicates import Scope, origin, random_predicate
from tests.strategies.sources import random_sources

from meshproof.compiler.ir.assertions import (
    Assumption,
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
from meshproof.compiler.ir.entities import Destination, Gateway, Node, Service, SourceSet
from meshproof.compiler.ir.matchers import Exact, Segments
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import Always, Method, Path, Predicate, Test, conjunction, disjunction


def with_claims(rng: Random, mesh: Mesh, count: int) -> Mesh:
    """The mesh with one block of `count` random claims, if anything in it can be called."""
    if not any(node.ports for node in mesh.nodes):
        return mesh
    claims = tuple(Claim(random_statement(rng, mesh), f"claim {number}", origin(number)) for number in range(count))
    assumptions: tuple[Assumption, ...] = ()
    if rng.random() < 0.3:
        until = rng.choice((None, *words.UNTILS))
        assumptions = (Assumption(_sources(rng, mesh), "it is random", "team", until, origin()),)
    return replace(mesh, proofs=(Prove("random", (), claims, assumptions, origin()),))


def random_statement(rng: Random, mesh: Mesh) -> Statement:
    """A claim of any kind."""
    sources, places = _sources(rng, mesh), _destinations(rng, mesh)
    some_sources = sources if rng.random() < 0.5 else None
    kind = rng.randrange(11)
    if kind == 0:
        return OnlyReaches(sources, places, _condition(rng, mesh))
    if kind == 1:
        return NoRequest(sources, places, _condition(rng, mesh))
    if kind == 2:
        return EveryRequestIs(some_sources, places, _operation(rng, mesh))
    if kind == 3:
        return EveryRequestSatisfies(some_sources, places, _condition(rng, mesh), _required(rng, mesh))
    if kind == 4:
        return EveryRequestIsMtls(some_sources, places)
    if kind == 5:
        return CanReach(sources, places, _condition(rng, mesh))
    if kind == 6:
        return CanCall(sources, places, _operation(rng, mesh), _condition(rng, mesh))
    if kind == 7:
        bypassing = _sources(rng, mesh) if rng.random() < 0.5 else None
        return NoPath(sources, places, bypassing, rng.choice((None, None, 1, 2, 3)))
    if kind == 8:
        return IsIsolated(sources, places, _sources(rng, mesh), _destinations(rng, mesh))
    if kind == 9:
        zone = tuple(sorted(node.name for node in mesh.nodes if rng.random() < 0.5))
        return NoMirrorLeaves(places, zone, "zone")
    return AtMostAttempts(rng.choice((1, 2, 3, 6, 9)), sources)


def _sources(rng: Random, mesh: Mesh) -> SourceSet:
    if mesh.rules and rng.random() < 0.4:
        return rng.choice(mesh.rules).sources
    callers: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    return random_sources(rng, callers, may_be_internet=rng.random() < 0.3)


def _destinations(rng: Random, mesh: Mesh) -> tuple[Destination, ...]:
    listening = [node for node in mesh.nodes if node.ports]
    chosen = rng.sample(listening, rng.randint(1, min(2, len(listening))))
    return tuple(_destination(rng, node) for node in sorted(chosen, key=lambda node: node.name))


def _destination(rng: Random, node: Node) -> Destination:
    ports = tuple(sorted(port.workload for port in node.ports))
    return Destination(node.name, ports if rng.random() < 0.6 else (rng.choice(ports),))


def _operation(rng: Random, mesh: Mesh) -> Predicate:
    """An operation, often one or all of a rule's."""
    written = [rule.operations for rule in mesh.rules if rule.operations]
    if written and rng.random() < 0.5:
        chosen = rng.choice(written)
        return disjunction(tuple(one.condition for one in chosen[: rng.randint(1, len(chosen))]))
    path = Test(Path(), Segments(words.path_pattern(rng)))
    return path if rng.random() < 0.4 else conjunction((Test(Method(), Exact(rng.choice(words.METHODS))), path))


def _condition(rng: Random, mesh: Mesh) -> Predicate:
    if rng.random() < 0.6:
        return Always()
    return _operation(rng, mesh) if rng.random() < 0.5 else random_predicate(rng, Scope(), 1)


def _required(rng: Random, mesh: Mesh) -> Predicate:
    """A condition, often what some rules ask for."""
    if mesh.rules and rng.random() < 0.6:
        return disjunction(tuple(rule.content for rule in mesh.rules if rng.random() < 0.7))
    return random_predicate(rng, Scope(), 1)
