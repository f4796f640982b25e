"""Whether the engine can keep a policy in every part: known when it is loaded, not when the first request comes."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.connection_headers import CONNECTION_HEADERS
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.matchers import Segments
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import (
    And,
    Header,
    Not,
    Opaque,
    Or,
    Path,
    Predicate,
    SourceIdentity,
    Test,
    attributes_of,
)
from meshproof.runtime.engine.conditions import condition, settled
from meshproof.runtime.engine.errors import UnsupportedPolicyError

_MOST_NESTED = 100


def refuse_unsupported(mesh: Mesh) -> None:
    """Raise `UnsupportedPolicyError` unless every condition and every reference of the policy can be kept."""
    if mesh.is_lifted:
        raise UnsupportedPolicyError("the policy was read from files of another mesh")
    _refuse_dangling(mesh)
    _refuse_places(mesh)
    for predicate in _predicates(mesh):
        _refuse_deep(predicate, _MOST_NESTED)
        _refuse_segments(predicate)
        _refuse_headers(predicate)
        condition(settled(predicate, None, 1))
        condition(settled(predicate, "spiffe://x/x", 1))


def _predicates(mesh: Mesh) -> Iterator[Predicate]:
    for rule in mesh.rules:
        if rule.layer is not None:
            raise UnsupportedPolicyError(f"`{rule.id}` is bound to a layer, as rules of Istio are")
        for attribute in _foreign_attributes(rule.sources.matches):
            raise UnsupportedPolicyError(f"the callers of `{rule.id}` are told by `{type(attribute).__name__}`")
        yield rule.sources.matches
        yield rule.content
    for route in mesh.routes:
        for branch in route.branches:
            yield branch.condition
            if branch.path is not None:
                yield Test(Path(), branch.path)


def _foreign_attributes(predicate: Predicate) -> Iterator[object]:
    """What else than identities a set of callers looks at."""
    match predicate:
        case Test(attribute, _) if not isinstance(attribute, SourceIdentity):
            yield attribute
        case Not(operand):
            yield from _foreign_attributes(operand)
        case And(operands) | Or(operands):
            for one in operands:
                yield from _foreign_attributes(one)
        case Opaque():
            yield predicate
        case _:
            return


def _refuse_deep(predicate: Predicate, most: int) -> None:
    """Each level costs whoever evaluates it some stack."""
    if most == 0:
        raise UnsupportedPolicyError(f"a condition is nested more than {_MOST_NESTED} deep")
    match predicate:
        case Not(operand):
            _refuse_deep(operand, most - 1)
        case And(operands) | Or(operands):
            for one in operands:
                _refuse_deep(one, most - 1)
        case _:
            return


def _refuse_segments(predicate: Predicate) -> None:
    match predicate:
        case Test(_, Segments(pattern)):
            if not pattern.startswith("/") or "**" in pattern.split("/")[:-1]:
                raise UnsupportedPolicyError(f"`{pattern}` is no path pattern")
        case Not(operand):
            _refuse_segments(operand)
        case And(operands) | Or(operands):
            for one in operands:
                _refuse_segments(one)
        case _:
            return


def _refuse_headers(predicate: Predicate) -> None:
    """What is taken off before anybody judges would be absent to a rule, whatever a caller has sent."""
    for attribute in attributes_of(predicate):
        if isinstance(attribute, Header) and attribute.name in CONNECTION_HEADERS:
            raise UnsupportedPolicyError(f"the header `{attribute.name}` is of one connection, and no rule can read it")


def _refuse_places(mesh: Mesh) -> None:
    for issuer in mesh.issuers:
        if issuer.place is not None and issuer.place.kind == "header" and issuer.place.name in CONNECTION_HEADERS:
            name = issuer.place.name
            raise UnsupportedPolicyError(f"the header `{name}` is of one connection, and no token of `{issuer.name}`")


def _refuse_dangling(mesh: Mesh) -> None:
    """A name that leads nowhere would make a rule vanish, and a name that two share would hide one of them."""
    names = [node.name for node in mesh.nodes]
    known = frozenset(names)
    if len(known) != len(names):
        raise UnsupportedPolicyError("two services, gateways or externals share a name")
    rules = [rule.id for rule in mesh.rules]
    if len(set(rules)) != len(rules):
        raise UnsupportedPolicyError("two rules share a name")
    for name in _named(mesh):
        if name not in known:
            raise UnsupportedPolicyError(f"`{name}` is named, and not declared")
    issuers = {issuer.name for issuer in mesh.issuers}
    for node in mesh.nodes:
        if isinstance(node, External):
            continue
        if node.default_allow:
            raise UnsupportedPolicyError(f"`{node.name}` allows by default, as files of Istio do")
        if not issuers.issuperset(node.accepts):
            raise UnsupportedPolicyError(f"`{node.name}` accepts an issuer that is not declared")


def _named(mesh: Mesh) -> Iterator[NodeName]:
    for rule in mesh.rules:
        yield from (destination.node for destination in rule.destinations)
    for route in mesh.routes:
        yield route.node
        for branch in route.branches:
            yield from (target.node for target in branch.targets)
