"""Who decides about requests to the own workload: one desk a connection, which knows who calls (ADR 0204)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from operator import itemgetter
from time import perf_counter_ns

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.runtime.core.exchange import failed
from meshproof.runtime.core.messages import Answer, Fields, Forward, Record, RequestHead, Respond
from meshproof.runtime.core.trailers import OF_IDENTITIES
from meshproof.runtime.engine.connection import Connection
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Headers, Incoming, Wire
from meshproof.runtime.engine.paths import forwarded
from meshproof.runtime.engine.text import told
from meshproof.runtime.net.inbound_port import Port
from meshproof.runtime.tokens.places import without_token

FORBIDDEN = failed(403, "UAEX", "forbidden")
UNAUTHORIZED = Respond(
    401,
    b'{"error":"no valid token","status":401}',
    ((b"content-type", b"application/json"), (b"www-authenticate", b'Bearer error="invalid_token"')),
    "UAEX",
)

CLIENT_CERT = b"x-forwarded-client-cert"
_FORWARDED = b"x-forwarded-for"
_NAME = itemgetter(0)
_TIMED = 63
"""Of so many decisions and one more, one is timed."""


class InboundDesk:
    """Goes by the policy that the port has at each request, and on each day."""

    __slots__ = ("_audits", "_bound", "_caller", "_count", "_day", "_policy", "_port", "_shown", "_wire")

    def __init__(self, port: Port, caller: str | None, wire: Wire) -> None:
        self._port = port
        self._caller = caller
        self._wire = wire
        self._count = 0
        self._bind()

    def stands(self) -> bool:
        """Whether the connection may be, by the policy of now."""
        if self._policy is not self._port.policy or self._day is not self._port.day:
            self._bind()
        bound = self._bound
        return bound is not None and (bound.refused is None or bound.refused.is_allowed)

    @property
    def refused(self) -> Decision | None:
        """The decision that no request of this caller passes, where there is one."""
        return None if self._bound is None else self._bound.refused

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer:
        """What is done with a request; see `Desk`."""
        del later
        port = self._port
        policy = port.policy
        if policy is not self._policy or port.day is not self._day:
            self._bind()
        record.policy = policy.digest
        answer = self._refused(head, record)
        port.tracer(head, record)
        if answer is not None:
            return answer
        fields, headers = head.fields, record.headers
        if not OF_IDENTITIES.isdisjoint(map(_NAME, fields) if headers is None else headers):  # hardly anybody sends one
            fields = [line for line in fields if line[0] not in OF_IDENTITIES]
        if policy.stripped:
            self._strip(head, fields)
        fields += self._shown
        head.fields = fields
        head.target = forwarded(head.target)
        record.upstream = port.application_name
        return Forward(port.upstream, head)

    def _bind(self) -> None:
        """All that the policy says of the caller here. What cannot be said refuses."""
        port = self._port
        self._policy = policy = port.policy
        self._day: date = port.day
        self._bound: Connection | None
        self._audits: Connection | None = None
        place = (policy.node.name, policy.port)
        try:
            self._bound = policy.engine.connect(self._wire, self._caller, place, port.day)
            if policy.audits is not None:
                self._audits = policy.audits.connect(self._wire, self._caller, place, port.day)
        except EngineError:
            self._bound = None
        shown = "" if self._caller is None else f"By={policy.own};URI={self._caller}"
        self._shown: Fields = [(CLIENT_CERT, shown.encode("ascii"))] if shown.isascii() and shown else []

    def _refused(self, head: RequestHead, record: Record) -> Respond | None:
        """The refusal, if it is refused; the decision goes into the record."""
        bound = self._bound
        if bound is None:
            return FORBIDDEN
        self._count = count = self._count + 1
        try:
            if count & _TIMED:
                decision = bound.plain(head.method, head.target) or bound.decide_at_length(self._incoming(head))
            else:
                begun = perf_counter_ns()
                decision = bound.plain(head.method, head.target) or bound.decide_at_length(self._incoming(head))
                record.decision_ns = perf_counter_ns() - begun
            if self._audits is not None:
                record.audited = self._audits.decide(self._incoming(head)).determined_by
        except EngineError:
            self._port.fault("there was no decision about a request")
            return FORBIDDEN
        record.decision = decision
        if decision.is_allowed:
            return None
        return UNAUTHORIZED if decision.reason is Reason.TOKEN else FORBIDDEN

    def _incoming(self, head: RequestHead) -> Incoming:
        policy = self._policy
        if not policy.read and policy.verifier is None and not policy.reads_client_ip:
            return Incoming(head.method, head.target, head.authority)
        read = policy.read
        headers: Headers = tuple((name.decode("ascii"), told(value)) for name, value in head.fields if name in read)
        token = None
        if policy.verifier is not None:
            token = policy.verifier.token(head.fields, head.target.encode("latin-1"))
        client = _client_ip(head.fields) if policy.reads_client_ip else None
        return Incoming(head.method, head.target, head.authority, headers, token, client)

    def _strip(self, head: RequestHead, fields: Fields) -> None:
        for place in self._policy.stripped:
            kept, target = without_token(place, fields, head.target.encode("latin-1"))
            fields[:] = kept
            head.target = target.decode("latin-1")


def _client_ip(fields: Fields) -> str | None:
    """What the caller, where it is a gateway, has written last of who called it."""
    lines = [value for name, value in fields if name == _FORWARDED]
    return lines[-1].rpartition(b",")[2].strip().decode("latin-1") or None if lines else None
