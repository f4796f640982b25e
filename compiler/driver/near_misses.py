"""The allows that come closest to a request that nothing allows, and what each of them lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.authz import AuthzRule, Effect, Operation
from meshproof.compiler.ir.matchers import Exact, Segments
from meshproof.compiler.ir.predicate import And, Path, Predicate, attributes_of
from meshproof.compiler.ir.predicate_text import attribute_name, matcher_text, predicate_text
from meshproof.compiler.report.model_why import Missing, NearMiss
from meshproof.compiler.semantics import facts_of
from meshproof.compiler.semantics.authorize import source_truth
from meshproof.compiler.semantics.truth import truth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from meshproof.compiler.ir.matchers import Matcher
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.semantics import Facts

_MOST = 3
_ABSENT = "absent"


def near_misses(mesh: Mesh, request: Request, day: date, names: Mapping[str, str]) -> tuple[NearMiss, ...]:
    """At most three allows in force for the destination, those first that lack least. `names` are of identities."""
    facts = facts_of(mesh, request, day)
    found = []
    for rule in mesh.rules:
        if rule.effect is Effect.ALLOW and rule.is_in_force(day) and _ports(rule, request) is not False:
            missing = tuple(_missing(mesh, rule, request, facts, names))
            if missing:
                found.append(NearMiss(rule.id, rule.origin.span, missing))
    found.sort(key=lambda miss: (len(miss.missing), miss.rule))
    return tuple(found[:_MOST])


def _ports(rule: AuthzRule, request: Request) -> tuple[int, ...] | bool | None:
    """The ports of the request's destination that the rule is for, None for all, False if it is not for it at all."""
    for destination in rule.destinations:
        if destination.node == request.destination:
            return destination.ports
    return False


def _missing(
    mesh: Mesh, rule: AuthzRule, request: Request, facts: Facts, names: Mapping[str, str]
) -> Iterator[Missing]:
    ports = _ports(rule, request)
    if isinstance(ports, tuple) and request.port not in ports:
        yield Missing("port", " or ".join(map(str, ports)), str(request.port))
    node = mesh.node(request.destination)
    if node is not None and source_truth(rule.sources, node, facts, {}) is False:
        caller = request.source.identity
        yield Missing("source", rule.sources.text, "plaintext" if caller is None else names.get(caller, caller))
    if rule.operations and not any(truth(one.condition, facts, {}) for one in rule.operations):
        needs = " or ".join(_operation(one) for one in rule.operations)
        yield Missing("operation", needs, f"{request.method or '*'} {request.path or '*'}")
    for part in _parts(rule.when):
        if truth(part, facts, {}) is False:
            fields = sorted(attributes_of(part), key=attribute_name)
            yield Missing(
                ", ".join(attribute_name(one) for one in fields) or "condition",
                predicate_text(part),
                ", ".join(_value(facts.values(one)) for one in fields) or _ABSENT,
            )


def _parts(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.operands if isinstance(predicate, And) else (predicate,)


def _operation(operation: Operation) -> str:
    return f"{'|'.join(operation.methods) or '*'} {_path(operation.path)}"


def _path(matcher: Matcher | None) -> str:
    match matcher:
        case None:
            return "/**"
        case Exact(text) | Segments(text):
            return text
        case _:
            return matcher_text(Path(), matcher)


def _value(values: tuple[str, ...] | None) -> str:
    return ", ".join(f"`{value}`" for value in values) if values else _ABSENT
