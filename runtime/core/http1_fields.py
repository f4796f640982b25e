"""Header lines of HTTP/1.1 as they are read: what frames a message or belongs to its connection is told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from meshproof.runtime.core.messages import Fields

_MOST_NAMES = 1024
_LONGEST_NAME = 64
_LONGEST_LENGTH = 18
"""Digits of a `content-length`: more bytes than anybody has."""

HOST = re.compile(rb"[A-Za-z0-9._~:\[\]%!$&'()*+;=-]{1,255}").fullmatch
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch
_COMMON = (
    *(b"accept", b"accept-encoding", b"accept-language", b"authorization", b"cache-control", b"content-encoding"),
    *(
        b"content-type",
        b"cookie",
        b"date",
        b"etag",
        b"expires",
        b"grpc-timeout",
        b"if-modified-since",
        b"last-modified",
    ),
    *(b"if-none-match", b"location", b"origin", b"pragma", b"referer", b"server", b"set-cookie", b"traceparent"),
    *(b"tracestate", b"user-agent", b"vary", b"via", b"x-b3-sampled", b"x-b3-spanid", b"x-b3-traceid", b"b3"),
    *(b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id"),
)
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"connection", b"upgrade", b"host"})
_OF_THE_HOP = frozenset(
    {b"keep-alive", b"proxy-connection", b"te", b"proxy-authenticate", b"proxy-authorization", b"http2-settings"}
)
_NEVER_NAMED = frozenset({b"host", b"content-length", b"transfer-encoding", b"cookie", b"authorization"})
"""What nobody may have taken out by naming it in `connection`: it would change what is judged, or how much is read."""


@dataclass(frozen=True, slots=True)
class Http1Limits:
    """What one message may take. `head_bytes` holds for trailers too. Without `takes_underscores` a header name that
    has one is refused: many servers read `a_b` as `a-b`, and so as a header that a proxy has checked or set."""  # noqa: D205, D209

    head_bytes: int = 65_536
    headers: int = 128
    body_bytes: int | None = None
    takes_underscores: bool = False


class MalformedError(Exception):
    """The peer's fault: the status to answer, and what it did, as one lower-case clause that holds nothing of it."""

    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.status = status
        self.what = what


class HeadLines:
    """The lines of one head or trailer section, as httptools tells them. Made anew for each message by `begin`."""

    __slots__ = ("connection", "fields", "host", "is_chunked", "length", "limits", "refused", "upgrade")

    def __init__(self, limits: Http1Limits) -> None:
        self.limits = limits
        self.refused: MalformedError | None = None
        self.begin()

    def begin(self) -> None:
        """Forget the last message."""
        self.fields: Fields = []
        self.host: bytes | None = None
        self.length: int | None = None
        self.is_chunked = False
        self.connection: frozenset[bytes] = _NOTHING
        self.upgrade: bytes = b""

    def add(self, name: bytes, value: bytes) -> None:
        """One line. Raises `MalformedError`, and keeps it in `refused`, for parsers tell no errors of callbacks."""
        known = NAMES.get(name)
        if known is not None:
            self.fields.append((known, value.rstrip()))
            return
        try:
            self._rare(name, value.rstrip())
        except MalformedError as error:
            self.refused = error
            raise

    def end(self) -> None:
        """All lines have come. Raises `MalformedError`."""
        fields = self.fields
        if len(fields) > self.limits.headers:
            raise MalformedError(431, "it has too many headers")
        named = self.connection
        if named and not named <= _OPTIONS:
            if named & _NEVER_NAMED:
                raise MalformedError(400, "its `connection` names what is no matter of a connection")
            self.fields = [one for one in fields if one[0] not in named]

    def trailers(self, status: int) -> Fields | None:
        """The lines after a body, if any; `status` is for those that belong to a head. Raises `MalformedError`."""
        self.end()
        if self.host is not None or self.length is not None or self.is_chunked or self.connection:
            raise MalformedError(status, "it has trailers that belong to a head")
        return self.fields or None

    def size(self) -> int:
        """About how many bytes the lines took."""
        return sum(len(name) + len(value) + 4 for name, value in self.fields)

    def _rare(self, name: bytes, value: bytes) -> None:
        lower = name.lower()
        if lower in _FRAMING:
            self._framing(lower, value)
        elif lower not in _OF_THE_HOP:
            if b"_" in lower:
                if not self.limits.takes_underscores:
                    raise MalformedError(400, "it has a header name with an underscore")
            elif len(NAMES) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
                NAMES[name] = lower
            self.fields.append((lower, value))

    def _framing(self, name: bytes, value: bytes) -> None:
        if name == b"host":
            if self.host is not None:
                raise MalformedError(400, "it has `host` more than once")
            self.host = value
        elif name == b"content-length":
            if self.length is not None or not value.isdigit() or len(value) > _LONGEST_LENGTH:
                raise MalformedError(400, "its `content-length` is no number, or is there twice")
            self.length = int(value)
        elif name == b"transfer-encoding":
            if self.is_chunked or value.lower() != b"chunked":
                raise MalformedError(501, "its `transfer-encoding` is not `chunked` alone")
            self.is_chunked = True
        elif name == b"upgrade":
            self.upgrade = self.upgrade + b"," + value if self.upgrade else value
        else:
            self._connection(value)

    def _connection(self, value: bytes) -> None:
        names = frozenset(part.strip(b" \t") for part in value.lower().split(b",")) - _EMPTY
        if not all(map(_TOKEN, names)):
            raise MalformedError(400, "its `connection` is no list of names")
        self.connection |= names


_NOTHING: frozenset[bytes] = frozenset()
_EMPTY = frozenset({b""})
_OPTIONS = frozenset({b"close", b"keep-alive", b"upgrade"})
NAMES = {spelled: name for name in _COMMON for spelled in (name, name.title())}
"""Names as they are spelled to names in lower case; those that are met join the common ones, up to a limit."""
