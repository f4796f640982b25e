"""Workloads behind several Services, as they are called by one of them: the language has one name for a service."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from meshproof.compiler.express.untaken import Untaken
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Host,
    Never,
    Not,
    Or,
    Predicate,
    Test,
    conjunction,
    disjunction,
    negation,
)

if TYPE_CHECKING:
    from meshproof.compiler.ir.entities import Service
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.routing import Branch, Route

_FORMS = 4
"""How many forms a name has inside of a cluster."""


def by_one_name(mesh: Mesh) -> tuple[Mesh, tuple[Untaken, ...]]:
    """The mesh in which each service is called by its own name alone, and the routes that do something else by others.

    A name is told by all that callers may write for it: `NAME`, `NAME.NAMESPACE` and what Kubernetes puts behind.
    """
    services = {service.name: service for service in mesh.services}
    routes: list[Route] = []
    untaken: dict[str, Untaken] = {}
    for route in mesh.routes:
        service = services.get(route.node)
        plain = route if service is None else _by_name(route, service)
        routes.append(plain)
        if plain is not route and service is not None:
            name = f"{service.namespace}/{service.platform_name}"
            reason = f"a service has one name, and calls by others than `{service.platform_name}` are routed otherwise"
            subject = route.id.replace(route.node, name, 1)
            untaken.setdefault(subject, Untaken(subject, reason, route.origin))
    return replace(mesh, routes=tuple(routes)), tuple(untaken.values())


def _by_name(route: Route, service: Service) -> Route:
    """The route for calls by the service's own name; the same one if it does not look at such names."""
    branches = tuple(_reached(route, service))
    return route if branches == route.branches else replace(route, branches=branches)


def _reached(route: Route, service: Service) -> Iterator[Branch]:
    for branch in route.branches:
        condition = _settled(branch.condition, service)
        if isinstance(condition, Never):
            continue
        if condition == branch.condition:
            yield branch
        else:
            is_all = isinstance(condition, Always)
            yield replace(branch, condition=condition, when=_settled(branch.when, service), is_otherwise=is_all)
        if isinstance(condition, Always):
            return


def _settled(condition: Predicate, service: Service) -> Predicate:
    """What is left of a condition if the call is by the name of the service."""
    match condition:
        case Or(operands):
            called = _called(condition)
            if called is not None:
                return Always() if called == (service.platform_name, service.namespace) else Never()
            return disjunction(tuple(_settled(one, service) for one in operands))
        case And(operands):
            return conjunction(tuple(_settled(one, service) for one in operands))
        case Not(operand):
            return negation(_settled(operand, service))
        case _:
            return condition


def _called(condition: Or) -> tuple[str, str] | None:
    """The name and namespace if the condition is that a call is by any form of a name."""
    names: list[str] = []
    for one in condition.operands:
        match one:
            case Test(Host(), Exact(name)):
                names.append(name)
            case _:
                return None
    longest = max(names, key=len, default="")
    short, _, rest = longest.partition(".")
    namespace = rest.partition(".")[0]
    forms = {short, f"{short}.{namespace}", f"{short}.{namespace}.svc", longest}
    return (short, namespace) if set(names) == forms and len(forms) == _FORMS else None
