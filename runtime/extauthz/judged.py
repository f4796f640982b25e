"""A decision about a question of an Envoy, as telemetry is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.decision import Decision
from meshproof.runtime.core.messages import ConnectionRecord, Record, RequestHead, Side
from meshproof.runtime.core.tracing import w3c
from meshproof.runtime.core.tracing.tracer import IS_REQUEST_ID, REQUEST_ID
from meshproof.runtime.extauthz.asked import Asked
from meshproof.runtime.extauthz.destinations import Destination


@dataclass(frozen=True, slots=True)
class Judged:
    """`status` is what the Envoy was answered. `audited` are the names of audited rules that the request meets."""

    destination: Destination
    asked: Asked
    decision: Decision
    status: int
    policy: str
    audited: tuple[str, ...] = ()

    def record(self, now: float) -> Record:
        """The same as sidecars tell it.

        No address is told: what an Envoy says of it may be what a caller has written. The ids are those of the headers
        `x-request-id` and `traceparent`, where the Envoy forwards them.
        """
        asked, place = self.asked, self.destination
        fields = [
            (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in asked.headers
        ]
        headers = dict(fields)
        request_id = headers.get(REQUEST_ID, b"")
        trace = w3c.parse(headers)
        connection = ConnectionRecord(Side.INBOUND, "", place.service, place.port, identity=asked.caller)
        return Record(
            connection,
            RequestHead(asked.method, asked.path, asked.hosts[0], fields),
            now,
            status=self.status,
            decision=self.decision,
            policy=self.policy,
            request_id=request_id.decode("ascii") if IS_REQUEST_ID(request_id) else "",
            trace_id="" if trace is None else trace.trace_id,
            audited=self.audited,
        )
