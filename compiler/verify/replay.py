"""Regions as the interpreter reads them: the second opinion on everything that the solver finds."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import assert_never

from meshproof.compiler.ir.entities import Gateway, Layer, Node, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import reads_http
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.routing import Branch
from meshproof.compiler.semantics import Facts, NotModelled, decide, facts_of, holds, passes_transport
from meshproof.compiler.semantics.authorize import rule_truth, source_truth, speaking_rules
from meshproof.compiler.semantics.handshake import canonical_identity
from meshproof.compiler.semantics.route import route_of, taking_branch
from meshproof.compiler.smt.region import (
    Admitted,
    Allowed,
    Answered,
    Both,
    ComingFrom,
    Conditional,
    Either,
    Everything,
    Identified,
    MatchedBy,
    Nothing,
    Outside,
    Region,
    Satisfying,
    SentBy,
    Taken,
)


def truth_in(region: Region, mesh: Mesh, request: Request, day: date) -> bool | None:
    """Whether a well-formed request is in the region; None where that hangs on what is not modelled."""
    try:
        return _truth(region, mesh, request, day)
    except NotModelled:
        return None


def _truth(region: Region, mesh: Mesh, request: Request, day: date) -> bool | None:  # noqa: C901, PLR0911, PLR0912
    facts = facts_of(mesh, request, day)
    match region:
        case Everything():
            return True
        case Nothing():
            return False
        case Admitted():
            return passes_transport(mesh, request, day)
        case Allowed(without):
            rules = tuple(rule for rule in mesh.rules if rule.id not in without)
            return decide(replace(mesh, rules=rules) if without else mesh, request, day).is_allowed
        case MatchedBy(name):
            alone = replace(mesh, rules=tuple(rule for rule in mesh.rules if rule.id == name))
            speaking = speaking_rules(alone, request, facts, day)
            return next((rule_truth(rule, _node(mesh, request), facts, {}) for rule in speaking), False)
        case Satisfying(predicate):
            return holds(predicate, facts)
        case ComingFrom(sources):
            return source_truth(sources, _node(mesh, request), facts, {})
        case SentBy(nodes):
            return facts.identity is not None and facts.identity in _identities(mesh, nodes)
        case Identified():
            return facts.identity is not None
        case Answered(authorizer):
            return dict(request.answers).get(authorizer, True)
        case Taken(branch):
            taking = _taking(mesh, request, facts)
            return branch is not None if taking == "" else taking == branch
        case Conditional(branch):
            return _agrees(mesh, request, facts, branch)
        case Both(parts):
            return _all(truth_in(part, mesh, request, day) for part in parts)
        case Either(parts):
            found = _all(_opposite(truth_in(part, mesh, request, day)) for part in parts)
            return _opposite(found)
        case Outside(part):
            return _opposite(truth_in(part, mesh, request, day))
        case _:
            assert_never(region)


def _all(values: Iterable[bool | None]) -> bool | None:
    found = tuple(values)
    if False in found:
        return False
    return None if None in found else True


def _opposite(value: bool | None) -> bool | None:  # noqa: FBT001  a truth value is what it is about
    return None if value is None else not value


def _node(mesh: Mesh, request: Request) -> Node:
    node = mesh.node(request.destination)
    if node is None:
        raise AssertionError(request.destination)
    return node


def _identities(mesh: Mesh, names: Iterable[NodeName]) -> frozenset[str]:
    wanted = set(names)
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    return frozenset(canonical_identity(mesh, node.identity).uri for node in nodes if node.name in wanted)


def _taking(mesh: Mesh, request: Request, facts: Facts) -> str | None:
    """The branch that takes the request by name, None for none, empty where there is no route to take it."""
    chosen = route_of(mesh, request)
    if chosen is None:
        return ""
    branch = taking_branch(mesh, chosen, request, facts)
    return None if branch is None else branch.id


def _agrees(mesh: Mesh, request: Request, facts: Facts, name: str) -> bool:
    chosen = route_of(mesh, request)
    branch = next((one for one in chosen.branches if one.id == name), None) if chosen is not None else None
    if branch is None or not _is_speaking(branch, facts):
        return False
    seen = facts if any(gateway.name == request.destination for gateway in mesh.gateways) else facts.without_token()
    return holds(branch.condition, seen)


def _is_speaking(branch: Branch, facts: Facts) -> bool:
    return facts.layer is Layer.HTTP or not reads_http(branch.condition)
