"""What the branches of a route take, first match first, as the sender's proxy sees the request."""

from __future__ import annotations

from meshproof.compiler.ir.predicate import reads_http
from meshproof.compiler.ir.routing import Branch, Route
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, Formula


def encode_conditions(environment: Environment) -> dict[str, Formula]:
    """Where each branch's own condition holds, for the branches of the routes of the port, by name.

    A sender looks for no token; a gateway does before it routes. A branch that reads HTTP takes no connection.
    """
    formulas = environment.formulas
    is_tcp = formulas.negation(environment.is_http)
    found: dict[str, list[Formula]] = {}
    for is_layer, route in ((environment.is_http, environment.policy.route), (is_tcp, environment.policy.route_tcp)):
        for branch in route.branches if route is not None else ():
            is_speaking = is_layer != is_tcp or not reads_http(branch.condition)
            holds = _condition(branch, environment) if is_speaking else FALSE
            found.setdefault(branch.id, []).append(formulas.conjunction((is_layer, holds)))
    return {name: formulas.disjunction(parts) for name, parts in found.items()}


def encode_taken(environment: Environment, conditions: dict[str, Formula]) -> dict[str | None, Formula]:
    """What each branch takes, none before it taking it, by name; under None what no branch takes.

    Where there is no route everything goes on as it is, so nothing is left over.
    """
    formulas = environment.formulas
    is_tcp = formulas.negation(environment.is_http)
    taken: dict[str | None, list[Formula]] = {None: []}
    for is_layer, route in ((environment.is_http, environment.policy.route), (is_tcp, environment.policy.route_tcp)):
        if route is None or is_layer == FALSE:
            continue
        rest = is_layer
        for branch in route.branches:
            taken.setdefault(branch.id, []).append(formulas.conjunction((rest, conditions[branch.id])))
            rest = formulas.conjunction((rest, formulas.negation(conditions[branch.id])))
        taken[None].append(rest)
    return {name: formulas.disjunction(parts) for name, parts in taken.items()}


def routes_of(environment: Environment) -> tuple[Route, ...]:
    """The routes of the port, of its HTTP requests and of its connections."""
    found = (environment.policy.route, environment.policy.route_tcp)
    return tuple(dict.fromkeys(route for route in found if route is not None))


def _condition(branch: Branch, environment: Environment) -> Formula:
    return encode_predicate(branch.condition, environment, sees_token=environment.policy.is_gateway)
