"""Routes that refuse requests which the destination lets in: a route is asked by proxies of senders alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.predicate import (
    And,
    Attribute,
    Claim,
    Header,
    Host,
    Method,
    Path,
    Predicate,
    Query,
    attributes_of,
    conjunction,
)
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.smt.region import Outside, Region, Satisfying, SentBy, Taken, both
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis
from meshproof.compiler.verify.graph import leads_to
from meshproof.compiler.verify.properties import ALLOWED
from meshproof.compiler.verify.routing import scopes_of_route
from meshproof.compiler.verify.scope import Scope
from meshproof.compiler.verify.verdict import Example, Unknown
from meshproof.compiler.verify.witness import Witness

_REFUSALS = frozenset((401, 403))
_ALL = 100
_ONWARD = (Method, Path, Header, Query)


@dataclass(frozen=True, slots=True)
class Escaped:
    """A request that a branch refuses, or would not send on without the claims that it asks for, and the destination
    lets in from whoever does not ask the route."""  # noqa: D205, D209

    route: str
    branch: str
    place: str
    witness: Witness


def escaped_guards(analysis: Analysis) -> Iterable[Escaped]:
    """For each branch that guards something a request that escapes it, if there is one.

    Looked for are answers and faults with 401 and 403, and at gateways claims. Raises Undecided once everything that
    was found has been given.
    """
    unknown: list[Unknown] = []
    for route in analysis.mesh.routes:
        for branch in route.branches:
            for scope, region in _escapes(analysis, route, branch):
                answer = scope.is_satisfiable(region)
                if isinstance(answer, Example):
                    yield Escaped(route.id, branch.id, scope.name, answer.witness)
                    break
                if isinstance(answer, Unknown):
                    unknown.append(answer)
    if unknown:
        raise Undecided(unknown[0].reason)


def _escapes(analysis: Analysis, route: Route, branch: Branch) -> Iterator[tuple[Scope, Region]]:
    """The ports behind the branch, with what escapes it there."""
    node = analysis.mesh.node(route.node)
    refuses = is_refusal(branch)
    if isinstance(node, Service) and refuses:
        yield from ((scope, both(ALLOWED, Taken(branch.id))) for scope in scopes_of_route(analysis, route))
    if not isinstance(node, Gateway) or not (refuses or _asks_alone(route, branch)):
        return
    said = _onward(branch.condition)
    if said is not None:
        asked = () if refuses else (Outside(Satisfying(_claims(branch.condition))),)
        region = both(ALLOWED, Satisfying(said), *asked, Outside(SentBy((node.name,))))
        for key in analysis.keys:
            behind = route.branches if refuses else (branch,)
            if key.is_declared and any(leads_to(route, one, key) for one in behind):
                yield analysis.scope(key), region


def is_refusal(branch: Branch) -> bool:
    """Whether the branch refuses whatever it takes."""
    fault = branch.settings.fault
    aborts = fault is not None and fault.abort_percent == _ALL and fault.abort_status in _REFUSALS
    return not branch.is_implied and (branch.answer in _REFUSALS or aborts)


def _asks_alone(route: Route, branch: Branch) -> bool:
    """Whether the branch asks for claims, and no other sends to the same place without."""
    ends = {target.node for target in branch.targets}
    others = (one for one in route.branches if one is not branch and ends & {target.node for target in one.targets})
    return _reads_claims(branch) and all(map(_reads_claims, others))


def _reads_claims(branch: Branch) -> bool:
    return any(isinstance(attribute, Claim) for attribute in attributes_of(branch.condition))


def _onward(condition: Predicate) -> Predicate | None:
    """What the condition says of method, path, headers and query; None where that does not come apart from the rest."""
    kept: list[Predicate] = []
    for part in condition.operands if isinstance(condition, And) else (condition,):
        found = attributes_of(part)
        if all(isinstance(attribute, _ONWARD) for attribute in found):
            kept.append(part)
        elif not _is_set_aside(found):
            return None
    return conjunction(tuple(kept))


def _is_set_aside(attributes: frozenset[Attribute]) -> bool:
    """Whether a part of a condition is about hosts, which are other ones inside of the mesh, or claims alone."""
    return all(isinstance(one, Host) for one in attributes) or all(isinstance(one, Claim) for one in attributes)


def _claims(condition: Predicate) -> Predicate:
    parts = condition.operands if isinstance(condition, And) else (condition,)
    return conjunction(tuple(part for part in parts if any(isinstance(one, Claim) for one in attributes_of(part))))
