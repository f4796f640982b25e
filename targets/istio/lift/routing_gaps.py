"""What of routing is not modelled: fields of objects, and conditions of branches, each a finding with its place."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.predicate import And, Not, Opaque, Or, Predicate
from meshproof.compiler.ir.routing import Route
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.fields import FieldPatterns, Status
from meshproof.targets.istio.lift.fields_gateway_api import GATEWAY_API
from meshproof.targets.istio.lift.fields_networking import NETWORKING
from meshproof.targets.istio.lift.findings import NOT_MODELLED
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.registry import Registry
from meshproof.targets.istio.lift.senders import UNSEEN
from meshproof.targets.istio.lift.unmodelled import unknown_object, unknown_rules
from meshproof.targets.istio.lift.values import items, mapping, pairs

_PATTERNS = {kind: FieldPatterns(table) for kind, table in (*NETWORKING.items(), *GATEWAY_API.items())}


def report_gaps(context: LiftContext, routes: tuple[Route, ...]) -> None:
    """A finding for each field, and for each condition that stands for something else than a field."""
    told = set()
    for one in context.objects.objects:
        patterns = _PATTERNS.get(one.kind)
        for use in () if patterns is None else patterns.uses_in(one.body):
            if use.status is Status.UNMODELLED:
                told.add(use.origin.span)
                message = f"`{use.path}` of {one.kind} `{one.full_name}` is not modelled"
                context.findings.add(NOT_MODELLED, message, one.full_name, use.origin)
    said: set[str] = set()
    for opaque in _conditions(routes):
        if opaque.origin.span in told or opaque.field.startswith(UNSEEN) or opaque.field in said:
            continue
        said.add(opaque.field)
        message = f"a route depends on {opaque.field}, which is not modelled"
        context.findings.add(NOT_MODELLED, message, opaque.field, opaque.origin, advice=_advice(opaque))


def _advice(opaque: Opaque) -> str | None:
    """What can be done about it: who sends is known by identity, and may be told apart by other accounts."""
    is_about_sender = opaque.field.startswith("which workload of the account")
    return (
        "give each workload an account of its own: an identity does not tell which one sends"
        if is_about_sender
        else None
    )


def _conditions(routes: tuple[Route, ...]) -> Iterator[Opaque]:
    conditions: dict[Predicate, None] = {branch.condition: None for route in routes for branch in route.branches}
    for condition in conditions:
        yield from _opaque_in(condition)


def _opaque_in(predicate: Predicate) -> Iterator[Opaque]:
    match predicate:
        case Opaque():
            yield predicate
        case Not(operand):
            yield from _opaque_in(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _opaque_in(operand)
        case _:
            return


def unknown_ends(registry: Registry) -> Iterator[AuthzRule]:
    """Rules that make unknown what is decided where the mesh goes on and no file shows how."""
    domain = registry.context.services.cluster_domain
    ends = [host.external for host in registry.all if host.external is not None and not host.is_external]
    ends.extend(one for host, one in registry.unknown.items() if host.endswith(f".svc.{domain}"))
    for end in dict.fromkeys(ends):
        yield from unknown_rules(f"workloads:{end.name}", f"what stands behind {end.name}", end.origin, (end.name,))


def unknown_listeners(context: LiftContext) -> Iterator[AuthzRule]:
    """Rules that make unknown what Sidecars with listeners of their own change at their workloads."""
    for source in context.objects.of(Kind.SIDECAR):
        if not items(source.spec.get("ingress")):
            continue
        labels = pairs(mapping(source.spec.get("workloadSelector")).get("labels"))
        found = context.selected(labels, source.namespace)
        yield from unknown_object(source, tuple(one.name for one in found))
