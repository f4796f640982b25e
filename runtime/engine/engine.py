"""Deciding and routing by a policy, with nothing kept between requests but what the policy makes the same."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import replace
from datetime import date

from meshproof.compiler.ir.decision import Decision, RouteOutcome
from meshproof.compiler.ir.entities import External, Layer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import AuthorizerName, NodeName
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.runtime.engine.checking import refuse_unsupported
from meshproof.runtime.engine.connection import Connection
from meshproof.runtime.engine.errors import MalformedRequestError, MissingFieldError, UnknownDestinationError
from meshproof.runtime.engine.facts import Incoming, Wire
from meshproof.runtime.engine.ports import DayTables, last_days
from meshproof.runtime.engine.text import normal_host
from meshproof.runtime.engine.transport import Identities

_NAME = re.compile(r"[^\r\n]+").fullmatch
_MOST_DAYS = 4
"""Sets of tables that are kept: clocks of requests differ around midnight, and no more."""


class Engine:
    """One policy. It never changes: another policy is another engine, and swapping them is one assignment.

    Raises `UnsupportedPolicyError` when it is made of a policy that it cannot keep in every part.
    """

    def __init__(self, mesh: Mesh) -> None:
        refuse_unsupported(mesh)
        self._mesh = mesh
        self._identities = Identities(mesh)
        self._gateways = frozenset(gateway.identity.uri for gateway in mesh.gateways)
        self._last_days = last_days(mesh)
        self._tables: dict[int, DayTables] = {}

    def connect(self, wire: Wire, identity: str | None, place: tuple[NodeName, int], day: date) -> Connection:
        """What is settled with a connection to a port, on a day: the caller, and all that rules say of it there.

        `wire.is_gateway` is told by the identity, whatever it says. Raises an `EngineError` where there is nothing to
        connect to; whoever asks refuses then.
        """
        name, port = place
        if not 1 <= port <= 65535:  # noqa: PLR2004  the last port
            raise MalformedRequestError(f"`{port}` is no port")
        index = bisect_left(self._last_days, day)
        table = self._at(index, day).table(name, port)
        if table is None:
            raise UnknownDestinationError(f"nothing that is declared is named `{name}`")
        known = None if identity is None else self._identities.known_as(identity)
        if wire.sni is not None and not _NAME(wire.sni):
            raise MalformedRequestError("an `sni` is a name without line breaks, or it is not there")
        is_gateway = known is not None and known[0] in self._gateways
        told = wire if wire.is_gateway is is_gateway else replace(wire, is_gateway=is_gateway)
        return Connection(table, told, known, self._last_days[index] if index < len(self._last_days) else None)

    def decide(self, request: Request, day: date) -> Decision:
        """The decision about a whole request, as of its own day or `day`. Raises an `EngineError`."""
        connection = self._connection(request, day)
        if request.protocol is RequestProtocol.TCP:
            return connection.decide_connection(dict(request.answers))
        return connection.decide(_incoming(request))

    def route(self, request: Request, day: date) -> RouteOutcome | None:
        """What the sender's proxy does with the request: None where no branch takes it. Raises an `EngineError`."""
        connection = self._connection(request, day)
        if request.protocol is RequestProtocol.TCP:
            return connection.route_connection()
        return connection.route(_incoming(request))

    def holds_until(self, day: date) -> date | None:
        """The last day from `day` on that decides as it does; None if all days to come do."""
        index = bisect_left(self._last_days, day)
        return self._last_days[index] if index < len(self._last_days) else None

    def needs_tokens(self, name: NodeName) -> bool:
        """Whether the destination looks for tokens at all."""
        node = self._mesh.node(name)
        return node is not None and not isinstance(node, External) and bool(node.accepts)

    @property
    def authorizers(self) -> tuple[AuthorizerName, ...]:
        """Those that a decision may need."""
        return tuple(one.name for one in self._mesh.authorizers)

    def _connection(self, request: Request, day: date) -> Connection:
        wire = Wire(request.source.ip, request.sni, request.client_ip)
        place = (request.destination, request.port)
        connection = self.connect(wire, request.source.identity, place, request.day or day)
        spoken = Layer.TCP if request.protocol is RequestProtocol.TCP else Layer.HTTP
        if connection.layer not in {None, spoken}:
            port, said = request.port, request.protocol
            raise MalformedRequestError(f"port `{port}` of `{request.destination}` does not speak {said}")
        return connection

    def _at(self, index: int, day: date) -> DayTables:
        found = self._tables.get(index)
        if found is None:
            if len(self._tables) >= _MOST_DAYS:
                self._tables.clear()
            found = DayTables(self._mesh, day)
            self._tables[index] = found
        return found


def _incoming(request: Request) -> Incoming:
    if request.method is None or request.path is None:
        raise MissingFieldError("a request over HTTP has a method and a path")
    if request.host is not None and not normal_host(request.host):
        raise MalformedRequestError("a `host` is not empty")
    return Incoming(
        method=request.method,
        path=request.path,
        host=request.host,
        headers=request.headers,
        token=request.token,
        client_ip=request.client_ip,
        answers=dict(request.answers),
    )
