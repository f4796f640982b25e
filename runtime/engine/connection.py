"""A connection whose caller and destination are known: the form of the engine for the hot path."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from meshproof.compiler.ir.decision import Decision, RouteOutcome
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.names import AuthorizerName
from meshproof.runtime.engine.callers import CallerTable, PlainIndex
from meshproof.runtime.engine.facts import Facts, Incoming, Wire
from meshproof.runtime.engine.index import BELOW, WHOLE
from meshproof.runtime.engine.paths import normal_path
from meshproof.runtime.engine.ports import PortTable
from meshproof.runtime.engine.tokens import GoodToken, good_token, is_preflight
from meshproof.runtime.engine.transport import passes


class Connection:
    """Decides the requests of one connection. It holds through `last_day`: after it, connect anew.

    Steps that no request changes are taken once, when it is made.
    """

    __slots__ = ("_callers", "_default", "_identity", "_index", "_rows", "_table", "_wire", "last_day", "refused")

    def __init__(self, table: PortTable, wire: Wire, known: tuple[str, bool] | None, last_day: date | None) -> None:
        self._table = table
        self._wire = wire
        self._identity = identity = None if known is None else known[0]
        is_standing = passes(table.mode, known)
        self.refused: Decision | None = None if is_standing else table.at_transport
        self._callers: CallerTable | None = table.callers.table(identity) if is_standing else None
        callers = None if table.issuers else self._callers
        plain = None if callers is None else callers.plain
        self._index = None if callers is None else callers.plain_index
        self._rows = None if plain is None else plain[0]
        self._default = table.at_path if plain is None else plain[1]
        self.last_day = last_day

    @property
    def layer(self) -> Layer | None:
        """What is spoken at the port; None where nobody declared it."""
        return self._table.layer

    def decide(self, incoming: Incoming) -> Decision:
        """The decision about a request over HTTP. Raises an `EngineError`; whoever asks refuses then."""
        return self.plain(incoming.method, incoming.path) or self.decide_at_length(incoming)

    def plain(self, method: str, sent: str) -> Decision | None:
        """The decision, where method and path (as sent) are all that it depends on. It raises nothing."""
        rows = self._rows
        if rows is None:
            return None if self._index is None else self._looked_up(self._index, method, sent)
        path = normal_path(sent)
        if path is None or method == "CONNECT":
            return self._table.at_path
        found = None
        for row in rows:  # read piece by piece: what is not looked at is not fetched from memory
            beginning = row[0]
            kind = row[1]
            if kind == WHOLE:
                if path != beginning:
                    continue
            elif not path.startswith(beginning):
                continue
            elif kind == BELOW:
                if path != beginning and path[len(beginning)] != "/":
                    continue
            elif row[4](path, len(beginning)) is None:
                continue
            if row[2] and method not in row[2]:
                continue
            if found is not None and found is not row[3]:
                return None
            found = row[3]
        return self._default if found is None else found

    def _looked_up(self, index: PlainIndex, method: str, sent: str) -> Decision | None:
        path = normal_path(sent)
        if path is None or method == "CONNECT":
            return self._table.at_path
        by_method, other, allowed_by, default = index
        found = by_method.get(method, other)(path)
        if not found:
            return default
        return allowed_by[found[0][0].id] if len(found) == 1 else None

    def decide_at_length(self, incoming: Incoming) -> Decision:
        """What `decide` says, for whoever has had no answer of `plain`. Raises an `EngineError`."""
        callers = self._callers
        if callers is None:
            return self._table.at_transport
        method = incoming.method
        path = normal_path(incoming.path)
        if path is None or method == "CONNECT":
            return self._table.at_path
        token = None
        if incoming.token is not None and self._table.issuers:
            token = self._verified(incoming)
            if token is None and not is_preflight(method, incoming.headers):
                return self._table.at_token
        return callers.request(self._wire, incoming, path, token)

    def decide_connection(self, answers: Mapping[AuthorizerName, bool]) -> Decision:
        """The decision about a connection over TCP. Raises an `EngineError`."""
        if self._callers is None:
            return self._table.at_transport
        return self._callers.connection(Facts(self._wire), answers)

    def route(self, incoming: Incoming) -> RouteOutcome | None:
        """What the sender's proxy does with a request: None where no branch takes it."""
        path = normal_path(incoming.path)
        if path is None or incoming.method == "CONNECT":
            return None
        routes = self._table.routes
        token = self._verified(incoming) if routes.sees_tokens else None
        return routes.request(self._identity, Facts(self._wire, incoming, path, token))

    def route_connection(self) -> RouteOutcome | None:
        """What the sender's proxy does with a connection."""
        return self._table.routes.connection(self._identity, Facts(self._wire))

    def _verified(self, incoming: Incoming) -> GoodToken | None:
        """The token, if there is one that the destination accepts; nobody looks at that of a preflight."""
        if incoming.token is None or is_preflight(incoming.method, incoming.headers):
            return None
        return good_token(incoming.token, self._table.issuers)
