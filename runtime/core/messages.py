"""What passes between the codecs of HTTP, the exchange of one request, and whoever decides where it goes (ADR 0200).

Heads are values. All else is said by calls: a codec calls what takes the parts of a message, which calls the other
codec, in one turn of the event loop and with nothing in between. Nothing here knows of sockets or clocks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from meshproof.compiler.ir.decision import Decision

Field = tuple[bytes, bytes]
"""One header line: its name in lower case, and its value without blanks around it."""

Fields = list[Field]
"""Header lines in their order, of which one message is the owner. No pseudo header, no `host`, and none of those that
belong to one connection (`connection` and what it names, `keep-alive`, `te` but for `trailers`, `transfer-encoding`,
…): codecs take them out and put their own in. Nor is `content-length` among them: it is the `length` of a head."""


class Failure(StrEnum):
    """Why a stream ended before its message did. The first three are named like the conditions of `retry`."""

    CONNECT = "connect-failure"
    """No connection could be had; nothing was sent."""
    REFUSED = "refused"
    """The peer said that it has done nothing with it (REFUSED_STREAM, or a GOAWAY before it)."""
    RESET = "reset"
    """The peer reset the stream, or its connection ended."""
    OVERFLOW = "overflow"
    """A limit of ours was reached before anything was sent."""
    TIMEOUT = "timeout"
    """It took too long."""
    PROTOCOL = "protocol"
    """The peer does not keep to the protocol."""
    CANCELLED = "cancelled"
    """The other side of the exchange is gone."""


@dataclass(slots=True)
class RequestHead:
    """A request up to its body. Not frozen, because the desk rewrites it in place and making it is in the hot path.

    `target` is a path with its query as sent, of visible ASCII, or `*`. `authority` is the host as sent, one value.
    `length`: how many bytes of body follow; None where that shows at its end alone. `is_end`: none, and no trailers.
    `protocol` is what an upgrade (or an extended CONNECT) asks for, in lower case: after an answer that agrees, data is
    opaque. `is_followed`: data follows in this very turn, so that both can be written at once.
    """

    method: str
    target: str
    authority: str
    fields: Fields
    length: int | None = 0
    is_end: bool = True
    protocol: str = ""
    version: str = "HTTP/1.1"
    is_followed: bool = False


@dataclass(slots=True)
class ResponseHead:
    """A response up to its body. A status below 200 comes before another head, except 101 (`is_end` holds for neither).

    `length` and `is_end` are as for requests; for HEAD and 304, `length` is what a GET would have had, and `is_end`
    holds. `body` is all of a body that came with its head: `is_end` holds, and no data is told. `is_followed` is as for
    requests: a hint, which is false where nobody knows.
    """

    status: int
    fields: Fields
    length: int | None = None
    is_end: bool = False
    body: bytes = b""
    is_followed: bool = False


class Flow(Protocol):
    """One that delivers data and can be told to wait: nothing is lost, at most what one read gave still comes."""

    def pause(self) -> None:
        """Deliver no data until `resume`; the peer is held back."""

    def resume(self) -> None:
        """Deliver again."""


class Parts(Protocol):
    """Where a message goes after its head, part by part. After an end, or `reset`, nothing more is told."""

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A piece of the body, opaque bytes after an upgrade. It may be empty if it is the end."""

    def trailers(self, fields: Fields) -> None:
        """The end, with trailers."""

    def reset(self, failure: Failure) -> None:
        """The end before the end. What is to come is dropped; to a stream it says: let the peer see that."""


class ServerStream(Flow, Parts, Protocol):
    """The answering half of one request, owned by a server codec: calls are what to write to the client."""

    def response(self, head: ResponseHead) -> None:
        """The head. `length` None: the codec frames the body as its version of HTTP does."""


class ClientStream(Flow, Parts, Protocol):
    """The asking half of one request, owned by a client codec or a pool: calls are what to write to the server.

    Its `reset` may be called at any time and is the last call to it; after it, it tells its listener nothing.
    """


class RequestListener(Parts, Protocol):
    """Takes the body of a request from a server codec (that of its exchange).

    `reset` says that the client is gone, or broke the protocol; the stream answers what is to be answered itself.
    """

    def pause_answer(self) -> None:
        """The client reads slowly: hold the answer back."""

    def resume_answer(self) -> None:
        """It reads again."""


class ResponseListener(Parts, Protocol):
    """Takes the answer to a request from a client codec."""

    def response(self, head: ResponseHead) -> None:
        """The head, any number of 1xx ones before it."""

    def pause_request(self) -> None:
        """The server reads slowly: hold the request back."""

    def resume_request(self) -> None:
        """It reads again."""


class Upstream(Protocol):
    """Where requests are sent: a pool of connections to one address, or what chooses, retries and copies among such."""

    def open(self, head: RequestHead, listener: ResponseListener) -> ClientStream:
        """Begin a request; its parts may follow at once.

        They are kept, and bounded by `pause_request`, until there is a connection. Nothing is told to the listener
        before this has returned.
        """


@dataclass(frozen=True, slots=True)
class Respond:
    """The desk's answer that is an answer: made once, given often. `flags` is for the access log."""

    status: int
    body: bytes = b""
    fields: tuple[Field, ...] = ()
    flags: str = ""


@dataclass(slots=True)
class Forward:
    """The desk's answer that sends the request on, as `head` says. `timeout` is from here to the end of the response.

    Retries, mirrors, and timeouts of attempts are the upstream's. One is made a request, hence not frozen.
    """

    upstream: Upstream
    head: RequestHead
    timeout: float | None = None


Answer = Respond | Forward


class Desk(Protocol):
    """Whom an exchange asks once, at the head: there is one a connection, which knows who calls."""

    def answer(self, head: RequestHead, record: Record, later: Callable[[Answer], None]) -> Answer | None:
        """What is to be done. None: `later` is called with it, once, unless the exchange has ended meanwhile.

        It never raises: what it cannot decide it refuses. It notes in `record` what it decided.
        """


class Tracer(Protocol):
    """Continues a trace, or begins one."""

    def __call__(self, head: RequestHead, record: Record) -> None:
        """Write the headers of the hop into `head.fields`, and `request_id` and `trace_id` into the record."""


class Side(StrEnum):
    """On whose side the proxy stands: the one that serves, or the one that calls."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(slots=True)
class ConnectionRecord:
    """One connection from a client to the proxy, as telemetry sees it: alive while it is open.

    `local` and `service` say where it came (`HOST:PORT`, and the name of the policy), `identity` who calls: the SPIFFE
    ID of the peer, None for plaintext. For TCP (`protocol` is `tcp`) alone bytes are counted, and `decision`, the
    `policy` that made it, and the names of audited rules that are met are set.
    """

    side: Side
    local: str
    service: str
    port: int
    peer: str = ""
    identity: str | None = None
    local_identity: str | None = None
    is_tls: bool = False
    sni: str | None = None
    protocol: str = "http/1.1"
    opened: float = 0.0
    closed: float = 0.0
    received: int = 0
    sent: int = 0
    decision: Decision | None = None
    policy: str = ""
    flags: str = ""
    audited: tuple[str, ...] = ()


@dataclass
class Record:
    """One request, as telemetry sees it when it has ended. Times are of the monotonic clock; bytes are of bodies.

    `asked` is when all of it had been handed on, 0 if that was when it `started`; `responded` when the head of an
    answer came from upstream, 0 if none did, or none that waited for the whole request.
    `status` is what the client was told, 0 if nothing. `flags` are Envoy's short words for how it went wrong (`UF`,
    `UC`, `UT`, `UO`, `NR`, `DC`, `DPE`, …), joined by commas. `response` is the head that came from upstream, and
    `trailers` what came after its body (for gRPC's status). `upstream` is the address that answered. `note` is for
    the owner of the desk. `audited` are the names of audited rules that the request meets. The tracer fills the ids of
    the trace and of this hop's span; `decision_ns` is how long the decision took, where somebody looked; messages are
    those of gRPC. `headers` has the last line of each name as they came, if somebody has looked; see `begun`.
    """

    connection: ConnectionRecord
    head: RequestHead
    started: float
    asked: float = 0.0
    responded: float = 0.0
    ended: float = 0.0
    status: int = 0
    flags: str = ""
    decision: Decision | None = None
    policy: str = ""
    response: ResponseHead | None = None
    trailers: Fields | None = None
    received: int = 0
    sent: int = 0
    upstream: str = ""
    destination: str = ""
    attempts: int = 0
    request_id: str = ""
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    is_sampled: bool = False
    decision_ns: int = 0
    messages_received: int = 0
    messages_sent: int = 0
    audited: tuple[str, ...] = ()
    note: object = field(default=None, repr=False)
    headers: dict[bytes, bytes] | None = field(default=None, repr=False, compare=False)


def begun(connection: ConnectionRecord, head: RequestHead, started: float) -> Record:
    """The record of a request that has come: what it does not tell yet stays in the class (hence no slots there)."""
    record: Record = _new(Record)
    record.connection = connection
    record.head = head
    record.started = started
    record.headers = dict(head.fields)
    return record


_new = object.__new__


class Telemetry(Protocol):
    """Whoever counts and logs. It never raises, keeps no record after the call, and is called in the hot path."""

    def request(self, record: Record) -> None:
        """A request has ended, however."""

    def opened(self, connection: ConnectionRecord) -> None:
        """A connection was accepted, its peer's certificate (if any) too."""

    def closed(self, connection: ConnectionRecord) -> None:
        """It has ended."""

    def fault(self, what: str) -> None:
        """A peer broke a rule, or was refused before there was a request: one lower-case clause from a fixed set."""
