"""The routing step, at the sender: "the first branch that takes the request; none: 404 and a finding"."""

from __future__ import annotations

from datetime import date

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.entities import Gateway, Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import reads_http
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.routing import Branch, Route, Target
from meshproof.compiler.semantics.facts import Facts, facts_of
from meshproof.compiler.semantics.rewrite import rewritten_path
from meshproof.compiler.semantics.truth import World, cause, opaques_in, truth, worlds
from meshproof.compiler.semantics.wellformed import declared_port, layer_of


def route(mesh: Mesh, request: Request, day: date) -> RouteOutcome | None:
    """What the sender's proxy (for a gateway: the gateway) does with the request; None where no branch takes it.

    A path that step 2 refuses is taken by none; a destination without a route is called as it is (ADR 0053). Raises
    `MalformedRequest` for a request that cannot exist or leaves out what decides, `NotModelled` where the outcome
    hangs on something that is not modelled.
    """
    facts = facts_of(mesh, request, day)
    if facts.is_path_refused:
        return None
    chosen = route_of(mesh, request)
    if chosen is None:
        return RouteOutcome(None, ((_called(request), 100),), None, None, None, None)
    branch = taking_branch(mesh, chosen, request, facts)
    return None if branch is None else _outcome(branch, request, facts)


def route_of(mesh: Mesh, request: Request) -> Route | None:
    """The route of the port that is called, else the one "for every HTTP port" that the destination declares."""
    of_node = tuple(found for found in mesh.routes if found.node == request.destination)
    layer = layer_of(request)
    of_port = next((found for found in of_node if found.is_at(request.port, layer)), None)
    node = mesh.node(request.destination)
    if of_port is not None or layer is Layer.TCP or node is None or declared_port(node, request.port) is None:
        return of_port
    return next((found for found in of_node if found.port is None), None)


def taking_branch(mesh: Mesh, chosen: Route, request: Request, facts: Facts) -> Branch | None:
    """The first branch of the route that takes the request.

    A sender looks for no token; a gateway does before it routes (ADR 0053).
    """
    is_gateway = isinstance(mesh.node(request.destination), Gateway)
    seen = facts if is_gateway else facts.without_token()
    is_http = seen.layer is Layer.HTTP
    speaking = tuple(branch for branch in chosen.branches if is_http or not reads_http(branch.condition))
    conditions = tuple(branch.condition for branch in speaking)
    opaques = tuple(dict.fromkeys(opaque for condition in conditions for opaque in opaques_in(condition)))

    def first(world: World) -> tuple[Branch | None, ...]:
        """The branches that may be the first: several, where the request leaves out what decides."""
        found: list[Branch | None] = []
        for branch in speaking:
            is_taken = truth(branch.condition, seen, world)
            if is_taken is not False:
                found.append(branch)
            if is_taken:
                return tuple(found)
        return (*found, None)

    taking = {branch for world in worlds(opaques) for branch in first(world)}
    if len(taking) > 1:
        raise cause(conditions, seen)
    return taking.pop()


def label_of(target: Target, request: Request) -> str:
    """A target as outcomes name it: the version of the node called at the port called, or `NODE:PORT` (the workload's),
    or both; in lifted files the name behind which it stands.
    """  # noqa: D205
    if target.label is not None:
        return target.label
    port = request.port if target.port is None else target.port
    address = f"{target.node}:{port}"
    if target.version is None:
        return address
    is_called = (target.node, port) == (request.destination, request.port)
    return target.version if is_called else f"{address} {target.version}"


def _called(request: Request) -> str:
    return f"{request.destination}:{request.port}"


def _outcome(branch: Branch, request: Request, facts: Facts) -> RouteOutcome:
    settings = branch.settings
    return RouteOutcome(
        branch=None if branch.is_implied else branch.id,
        destinations=tuple(
            (label_of(target, request), target.weight) for target in branch.targets if not target.is_alternative
        ),
        path=rewritten_path(branch, request, facts),
        timeout_ms=settings.timeout_ms,
        retry=settings.retry,
        mirror=settings.mirror,
        headers=settings.headers,
        redirect=branch.redirect,
        answer=branch.answer,
        rewrite_host=settings.rewrite_host,
    )
