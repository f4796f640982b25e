"""What a virtual gateway does with requests: its routes as branches of the IR."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.matchers import Prefix
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Predicate, conjunction
from meshproof.compiler.ir.routing import Branch, Route, Settings
from meshproof.targets.appmesh.lift.conditions import Asked, asked
from meshproof.targets.appmesh.lift.found import Found
from meshproof.targets.appmesh.lift.leading import Leading, Way, in_order
from meshproof.targets.appmesh.lift.listeners import Accepting
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway

_UNMATCHED = 404
_UNPROVIDED = 503


def routes_of(
    gateway: Found[VirtualGateway],
    node: NodeName,
    listeners: tuple[Accepting, ...],
    routes: tuple[Found[GatewayRoute], ...],
    leading: Leading,
) -> Iterator[Route]:
    """A route for each listener: its branches are the gateway routes of its protocol, first first; then 404."""
    for listener in listeners:
        branches = tuple(_branches(node, listener, routes, leading))
        yield Route(
            id=f"{node}:{listener.port.number}/http",
            node=node,
            port=listener.port.workload,
            branches=(*branches, _unmatched(node, listener.port.number, gateway.origin)),
            origin=listener.origin,
            layer=Layer.HTTP,
        )


def _branches(
    node: NodeName, listener: Accepting, routes: tuple[Found[GatewayRoute], ...], leading: Leading
) -> Iterator[Branch]:
    number = listener.port.number
    for one, kind, part, order in in_order(routes, str(node)):
        if kind != listener.spoken or part.match.port not in {None, number}:
            continue
        target = part.action.target
        ways = leading.ways(target.virtual_service.virtual_service_name, target.port, one.origin)
        what = asked(part.match, one.origin)
        for way in ways:
            if way.kind in {"", kind}:
                name = f"{node}:{number}[{one.name}/{way.name}]"
                yield from (_branch(name, asking, order, way, part) for asking in _spellings(what, part))
        if not any(way.asked.condition == way.order == Always() for way in ways):
            yield _answer(f"{node}:{number}[{one.name}]", what, order, _UNMATCHED, one.origin)


def _spellings(what: Asked, part: Any) -> tuple[Asked, ...]:  # noqa: ANN401  of HTTP or gRPC
    """A prefix that is rewritten is asked for with a slash behind it first, so that none is doubled."""
    prefix = getattr(part.match, "prefix", None)
    if prefix is None or prefix.endswith("/") or _path(part, getattr(part.action, "rewrite", None)) is None:
        return (what,)
    return (replace(what, path=Prefix(f"{prefix}/")), what)


def _branch(name: str, what: Asked, order: Predicate, way: Way, part: Any) -> Branch:  # noqa: ANN401
    """What both the gateway's route and one of the router behind it match."""
    when = conjunction((what.when, order, way.asked.condition, way.order))
    return Branch(
        id=name,
        host=what.host,
        methods=what.methods,
        path=what.path,
        when=when,
        condition=conjunction((what.condition, order, way.asked.condition, way.order)),
        is_otherwise=False,
        targets=way.targets,
        redirect=None,
        settings=_settings(part),
        origin=way.origin,
        answer=None if way.targets else _UNPROVIDED,
    )


def _settings(part: Any) -> Settings:  # noqa: ANN401  of HTTP or gRPC
    """Without a word the prefix becomes `/`. The host becomes the name of the virtual service, which no proxy reads."""
    return Settings(rewrite_path=_path(part, getattr(part.action, "rewrite", None)))


def _path(part: Any, rewrite: Any) -> str | None:  # noqa: ANN401
    path, prefix = getattr(rewrite, "path", None), getattr(rewrite, "prefix", None)
    if path is not None and path.exact is not None:
        return str(path.exact)
    if getattr(part.match, "prefix", None) in {None, "/"}:
        return None if prefix is None or prefix.value is None else str(prefix.value)
    if prefix is not None and prefix.default_prefix == "DISABLED":
        return None
    return "/" if prefix is None or prefix.value is None else str(prefix.value)


def _unmatched(node: NodeName, number: int, origin: Origin) -> Branch:
    return _answer(f"{node}:{number}[unmatched]", Asked(None, (), None, Always()), Always(), _UNMATCHED, origin)


def _answer(name: str, what: Asked, order: Predicate, status: int, origin: Origin) -> Branch:
    condition = conjunction((what.condition, order))
    return Branch(
        id=name,
        host=what.host,
        methods=what.methods,
        path=what.path,
        when=conjunction((what.when, order)),
        condition=condition,
        is_otherwise=condition == Always(),
        targets=(),
        redirect=None,
        settings=Settings(),
        origin=origin,
        answer=status,
        is_implied=True,
    )
