"""Responses of HTTP/1.1 (and 1.0) out of bytes, in pieces: what a server sends is not trusted more than a client's."""

from __future__ import annotations

import httptools

from meshproof.runtime.core.http1_fields import HeadLines, Http1Limits, MalformedError
from meshproof.runtime.core.http1_plain import plain_response
from meshproof.runtime.core.messages import Failure, Fields, ResponseHead

ResponseEvent = ResponseHead | bytes | Fields | Failure | None
"""A head, a piece of a body, the end with trailers, the end without (unless the head was it), or how it failed."""

_OVERHEAD = 131_072
_FIRST, _LAST = 100, 599
_OK, _SWITCHING, _NO_CONTENT, _NOT_MODIFIED = 200, 101, 204, 304


class ResponseParser:
    """Reads the responses of one connection, each after `expect`. `is_reusable`: another request may be sent."""

    def __init__(self, limits: Http1Limits) -> None:
        self._lines = HeadLines(limits)
        self._limits = limits
        self.on_header = self._lines.add  # not a method of its own: it is called for each line
        self._parser = httptools.HttpResponseParser(self)
        self._events: list[ResponseEvent] = []
        self._pieces: list[bytes] = []
        self._fed = 0
        self._received = 0
        self._is_to_head = self._is_odd = False
        self._is_in_body = False
        self._is_until_close = False
        self._protocol = ""
        self.is_ended = True
        self.is_reusable = True
        self.is_raw = False

    def expect(self, *, is_head: bool, protocol: str = "") -> None:
        """A request has been sent: by HEAD, whose answer has no body, or to change to another protocol."""
        self._is_to_head = is_head
        self._protocol = protocol
        self._is_odd = is_head or bool(protocol)
        self._fed = self._received = 0
        self.is_ended = False

    def whole(self, data: memoryview | bytes) -> ResponseHead | None:
        """The whole response that these bytes are, if they are one and plain; otherwise `feed` reads them."""
        if self._fed or self.is_ended or self._is_odd:
            return None
        plain = plain_response(bytes(data), self._limits.headers)
        if plain is not None:
            self.is_ended = True
        return plain

    def feed(self, data: memoryview | bytes) -> list[ResponseEvent]:
        """What these bytes bring. It raises nothing."""
        events = self._events = []
        if self.is_raw:
            events.append(bytes(data))
            return events
        if self.is_ended:
            self.is_reusable = False
            return events
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self.is_raw = True
            rest = bytes(data[upgrade.args[0] :])
            if rest:
                events.append(rest)
            return events
        except httptools.HttpParserError:
            self._broken()
            return events
        if self._pieces:
            self._flush()
        if not self.is_ended:
            self._fed += len(data)
            if self._fed > self._limits.head_bytes and (
                not self._is_in_body or self._fed > _OVERHEAD + 9 * self._received
            ):
                self._broken()
        return events

    def eof(self) -> list[ResponseEvent]:
        """The end of the connection, which is that of a response that has no other."""
        self.is_reusable = False
        if self.is_ended:
            return []
        self.is_ended = True
        return [None] if self._is_until_close and self._is_in_body else [Failure.RESET]

    def _broken(self) -> None:
        """Whatever a server sends after its answer has ended changes nothing of that answer."""
        self._flush()
        self.is_reusable = False
        if not self.is_ended:
            self.is_ended = True
            self._events.append(Failure.PROTOCOL)

    def _flush(self) -> None:
        if self._pieces:
            self._events.append(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
            self._pieces = []

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Start anew."""
        if self.is_ended:
            self.is_reusable = False
            raise MalformedError(502, "it answers what nobody asked")
        self._lines.begin()

    def on_headers_complete(self) -> None:
        """A head."""
        lines = self._lines
        lines.end()
        status: int = self._parser.get_status_code()
        if status >= _OK:
            self._final(status)
        elif status == _SWITCHING:
            if not self._protocol or lines.upgrade.lower() != self._protocol.encode("ascii"):
                raise MalformedError(502, "it changes the protocol unasked")
            self._events.append(ResponseHead(status, lines.fields))
        elif status < _FIRST:
            raise MalformedError(502, "its status is none")
        else:
            self._events.append(ResponseHead(status, lines.fields))

    def on_body(self, piece: bytes) -> None:
        """Part of a body."""
        if not self._is_in_body:
            raise MalformedError(502, "it has a body where there is none")
        self._received += len(piece)
        self._pieces.append(piece)

    def on_message_complete(self) -> None:
        """A whole response, or one that others follow."""
        if not self._is_in_body:
            return
        self._is_in_body = False
        self.is_ended = True
        self._flush()
        self._events.append(self._lines.trailers(502))

    def _final(self, status: int) -> None:
        lines = self._lines
        if status > _LAST:
            raise MalformedError(502, "its status is none")
        length = None if lines.is_chunked else lines.length
        is_bodiless = self._is_to_head or status in {_NO_CONTENT, _NOT_MODIFIED}
        is_end = is_bodiless or length == 0
        if not self._parser.should_keep_alive():
            # For a body that ends with the connection, it says so too: that is no reason of its own here.
            self.is_reusable = False
        self._events.append(ResponseHead(status, lines.fields, length, is_end))
        if is_end:
            self.is_ended = True
            if length != 0:  # the parser may wait for a body, which would be that of the next answer
                self._parser = httptools.HttpResponseParser(self)
        else:
            self._is_in_body = True
            self._is_until_close = length is None and not lines.is_chunked
            lines.begin()
