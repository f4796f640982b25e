"""Requests of HTTP/1.1 out of bytes: strict, in pieces, with nothing kept of a body (ADR 0201)."""

from __future__ import annotations

import httptools

from meshproof.runtime.core.http1 import Fault
from meshproof.runtime.core.http1_fields import HOST, HeadLines, Http1Limits, MalformedError
from meshproof.runtime.core.http1_plain import host_line, plain_request
from meshproof.runtime.core.messages import Fields, RequestHead

RequestEvent = RequestHead | bytes | Fields | None | Fault
"""A head, a piece of a body, the end with trailers, the end without (of a body that there was), or a fault: the end."""

_OVERHEAD = 131_072
"""What a message may take besides nine times its body: long extensions of chunks are nothing but a load."""


class RequestParser:
    """Reads one connection. After a fault, a request that is said to be the last, or an upgrade it reads nothing.

    `is_ended`: the last request that began has ended. `is_last`: nothing comes after it.
    """

    def __init__(self, limits: Http1Limits) -> None:
        self._lines = HeadLines(limits)
        self._limits = limits
        self.on_header = self._lines.add  # not a method of its own: it is called for each line
        self._parser = httptools.HttpRequestParser(self)
        self._events: list[RequestEvent] = []
        self._pieces: list[bytes] = []
        self._target = b""
        self._host: bytes | None = None
        self._authority = ""
        self._host_line = b""  # as the client writes it, and what it tells
        self._host_told = ""
        self._fed = 0
        self._received = 0
        self._is_large = False
        self._is_silent = False
        self._raised: MalformedError | None = None
        self._upgrading: RequestHead | None = None
        self.is_in_head = False
        self.is_ended = True
        self.is_last = False

    def feed(self, data: memoryview | bytes) -> list[RequestEvent]:
        """What these bytes bring. Of them nothing is kept but a head that has not ended. It raises nothing."""
        if not self.is_ended:
            return self._feed(data)
        if self.is_last:
            return []
        events = self._feed(data)
        if len(events) == 1 and self.is_ended:
            self._learn(bytes(data))
        return events

    def whole(self, data: memoryview | bytes) -> RequestHead | None:
        """The whole request that these bytes are, if they are one and plain; otherwise `feed` reads them."""
        host, limits = self._host_line, self._limits
        if not host or not self.is_ended or self.is_last or len(data) > limits.head_bytes:
            return None
        plain = plain_request(bytes(data), host, limits.headers)
        return None if plain is None else RequestHead(plain[0], plain[1], self._host_told, plain[2])

    def _learn(self, data: bytes) -> None:
        """How this client writes the host of its requests, if it sends them whole."""
        line = host_line(data)
        if line[5:].strip(b" \t") == self._host:
            self._host_line, self._host_told = line, self._authority

    def _feed(self, data: memoryview | bytes) -> list[RequestEvent]:
        """The same by httptools."""
        events = self._events = []
        if len(data) > self._limits.head_bytes:
            self._is_large = True
        rest = self._read(data)
        while rest:
            rest = self._read(rest)
        return events

    def _read(self, data: memoryview | bytes) -> bytes:
        """Reads to the end, or to that of a head that asks for another protocol: then what comes after it."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return self._upgraded(bytes(data[upgrade.args[0] :]))
        except httptools.HttpParserError as error:
            if not (self.is_last and self.is_ended):
                self._flush()
                self._fail(self._fault(error))
            return b""
        if self._pieces:
            self._flush()
        if not self.is_ended:
            self._fed += len(data)
            if self._fed > self._limits.head_bytes:
                self._weigh()
        return b""

    def _weigh(self) -> None:
        if self.is_in_head:
            self._fail(Fault(431, "its headers are too large"))
        elif self._fed > _OVERHEAD + 9 * self._received:
            self._fail(Fault(400, "its chunks hold too little"))

    def _fail(self, fault: Fault) -> None:
        self.is_last = self.is_ended = True
        self._events.append(fault)

    def _fault(self, error: httptools.HttpParserError) -> Fault:
        raised = self._raised or self._lines.refused
        if raised is not None:
            return Fault(raised.status, raised.what)
        if isinstance(error, httptools.HttpParserInvalidMethodError):
            return Fault(400, "its method is none that is known")
        return Fault(400, "it is no request over HTTP/1.1")

    def _flush(self) -> None:
        """The pieces of a body that one read brought are one."""
        if self._pieces:
            self._events.append(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
            self._pieces = []

    def _upgraded(self, rest: bytes) -> bytes:
        """After a head that asks for another protocol, whose body (if it has one) httptools takes for that protocol.

        Where the upgrade is not taken, another parser is told of a request with the same body, and goes on from there.
        """
        head = self._upgrading
        self._upgrading = None
        assert head is not None
        if head.protocol:
            self.is_last = True
            if rest:
                self._events.append(rest)
            return b""
        self._parser = httptools.HttpRequestParser(self)
        if not head.is_end:
            framing = b"transfer-encoding: chunked" if head.length is None else b"content-length: %d" % head.length
            self._is_silent = True
            self._lines.begin()
            self._parser.feed_data(b"POST / HTTP/1.1\r\n" + framing + b"\r\n\r\n")
            self._lines.begin()
            self._is_silent = False
        return rest

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Start anew."""
        if not self._is_silent:
            self._lines.begin()
            self._target = b""
            self._fed = 0
            self.is_in_head = True
            self.is_ended = False

    def on_url(self, piece: bytes) -> None:
        """Part of the target."""
        self._target += piece

    def on_headers_complete(self) -> None:
        """A head."""
        if self._is_silent:
            return
        try:
            head = self._head()
        except MalformedError as error:
            self._raised = error
            raise
        self.is_in_head = False
        self._events.append(head)
        if not head.is_end:
            self._fed = self._received = 0
            self._lines.begin()

    def on_body(self, piece: bytes) -> None:
        """Part of a body."""
        self._received += len(piece)
        most = self._limits.body_bytes
        if most is not None and self._received > most:
            self._raised = MalformedError(413, "its body is too large")
            raise self._raised
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """A whole request; of one that asks for another protocol, its head alone."""
        head = self._upgrading
        if head is not None:
            self.is_ended = head.is_end
            return
        last = self._events[-1] if self._events and not self._pieces else None
        self.is_ended = True
        if not (isinstance(last, RequestHead) and last.is_end):
            self._flush()
            self._events.append(self._trailers())

    def _head(self) -> RequestHead:
        lines = self._lines
        lines.end()
        if self._parser.get_http_version() != "1.1":
            raise MalformedError(505, "it does not speak HTTP/1.1")
        host = lines.host
        if host is None or host != self._host:  # nearly all requests of a connection name the same
            self._named(host)
        method = self._parser.get_method().decode("ascii")
        target = self._target
        if method == "CONNECT":
            raise MalformedError(405, "it asks for a tunnel")
        if target[:1] != b"/" and target != b"*":
            raise MalformedError(400, "its target is no path")
        if (self._is_large or self._fed) and lines.size() + len(target) > self._limits.head_bytes:
            raise MalformedError(431, "its headers are too large")
        length = None if lines.is_chunked else lines.length or 0
        most = self._limits.body_bytes
        if most is not None and length is not None and length > most:
            raise MalformedError(413, "its body is too large")
        head = RequestHead(method, target.decode("ascii"), self._authority, lines.fields, length, length == 0)
        if lines.connection:
            self._connection(head)
        return head

    def _named(self, host: bytes | None) -> None:
        """A host that was not looked at yet. One that is no good is not kept."""
        if host is None or not HOST(host):
            raise MalformedError(400, "it has no good `host`")
        self._host, self._authority = host, host.decode("ascii")

    def _connection(self, head: RequestHead) -> None:
        """What its `connection` says of what comes after it. A protocol that is not known is not heard of."""
        lines = self._lines
        if b"close" in lines.connection:
            self.is_last = True
        if not self._parser.should_upgrade():
            return
        self._upgrading = head
        if lines.upgrade.lower() == b"websocket" and head.method == "GET":
            if not head.is_end:
                raise MalformedError(400, "it asks for another protocol and has a body")
            head.protocol = "websocket"

    def _trailers(self) -> Fields | None:
        try:
            return self._lines.trailers(400)
        except MalformedError as error:
            self._raised = error
            raise
