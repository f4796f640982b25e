"""The routing step, at the sender: the first branch that takes a request, and what it does with it (ADR 0053)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.matchers import Prefix, Segments
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Predicate, reads_http
from meshproof.compiler.ir.routing import Branch, Route, Target
from meshproof.runtime.engine.conditions import Condition, condition, settled
from meshproof.runtime.engine.facts import Facts
from meshproof.runtime.engine.segments import depth

_MOST_SENDERS = 1024


@dataclass(frozen=True, slots=True)
class _Line:
    """A branch: what it takes, and its outcome but for the path."""

    condition: Predicate
    is_reading_http: bool
    outcome: RouteOutcome
    branch: Branch


class RouteTable:
    """The route of one port; one of all HTTP ports is for a port that is declared as such (`is_http`).

    `sees_tokens`: the sender is a gateway, which has verified the token before it routes.
    """

    __slots__ = ("_connections", "_default", "_port", "_requests", "_settled", "sees_tokens")

    def __init__(
        self, routes: tuple[Route, ...], node: NodeName, port: int, *, is_http: bool, sees_tokens: bool
    ) -> None:
        closest = next((one for one in routes if one.node == node and one.port == port), None)
        general = next((one for one in routes if one.node == node and one.port is None and is_http), None)
        self._port = port
        self._default = RouteOutcome(None, ((f"{node}:{port}", 100),), None, None, None, None)
        self._requests = _lines(closest or general, port)
        self._connections = None if closest is None else _lines(closest, port)
        self._settled: dict[str | None, tuple[tuple[Condition, _Line], ...]] = {}
        self.sees_tokens = sees_tokens

    @property
    def branches(self) -> tuple[Branch, ...]:
        """All that there are."""
        return tuple(line.branch for line in self._requests or ())

    def request(self, identity: str | None, facts: Facts) -> RouteOutcome | None:
        """Where a request goes; None where no branch takes it."""
        if self._requests is None:
            return self._default
        for holds, line in self._for(identity):
            if holds(facts):
                return _sent(line, facts)
        return None

    def connection(self, identity: str | None, facts: Facts) -> RouteOutcome | None:
        """Where a connection goes: a branch that reads HTTP takes none."""
        if self._connections is None:
            return self._default
        for line in self._connections:
            if not line.is_reading_http and condition(settled(line.condition, identity, self._port))(facts):
                return line.outcome
        return None

    def _for(self, identity: str | None) -> tuple[tuple[Condition, _Line], ...]:
        known = self._settled.get(identity)
        if known is None:
            if len(self._settled) >= _MOST_SENDERS:
                self._settled.clear()
            known = tuple(
                (condition(settled(line.condition, identity, self._port)), line) for line in self._requests or ()
            )
            self._settled[identity] = known
        return known


def _lines(route: Route | None, port: int) -> tuple[_Line, ...] | None:
    return None if route is None else tuple(_line(route, branch, port) for branch in route.branches)


def _line(route: Route, branch: Branch, port: int) -> _Line:
    settings = branch.settings
    outcome = RouteOutcome(
        branch=branch.id,
        destinations=tuple((_name(target, route.node, port), target.weight) for target in branch.targets),
        path=None,
        timeout_ms=settings.timeout_ms,
        retry=settings.retry,
        mirror=settings.mirror,
        headers=settings.headers,
        redirect=branch.redirect,
    )
    return _Line(branch.condition, reads_http(branch.condition), outcome, branch)


def _name(target: Target, node: NodeName, port: int) -> str:
    """A version of what is called by its name, anything else by where it listens."""
    at = target.port or port
    if (target.node, at) == (node, port) and target.version is not None:
        return target.version
    address = f"{target.node}:{at}"
    return address if target.version is None else f"{address} {target.version}"


def _sent(line: _Line, facts: Facts) -> RouteOutcome:
    rewrite = line.branch.settings.rewrite_path
    if rewrite is None or facts.incoming is None:
        return line.outcome
    _, mark, query = facts.incoming.path.partition("?")
    return replace(line.outcome, path=f"{_rewritten(line.branch, rewrite, facts.path)}{mark}{query}")


def _rewritten(branch: Branch, rewrite: str, path: str) -> str:
    """What was matched before `**` is replaced, and the rest is kept; without `**` all of it is replaced."""
    match branch.path:
        case Segments(pattern) if (kept := depth(pattern)) is not None:
            rest = "".join(f"/{segment}" for segment in path[1:].split("/")[kept:])
            return f"{rewrite.removesuffix('/')}{rest}" if rest else rewrite
        case Prefix(value):
            return (rewrite + path[len(value) :]) or "/"
        case _:
            return rewrite
