"""Requests over HTTP/1.1 out of bytes, as an authorizer is asked: strict, without bodies, bounded.

Only an Envoy speaks here, and it writes requests in one way. Whatever else arrives is refused and the connection ends,
so that nobody can hide a second request in what two parsers read in two ways.
"""

from __future__ import annotations

from dataclasses import dataclass

import httptools

_PIECE = 4096
_ONCE = frozenset({"host", "content-length", "connection"})


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How large a request may be: bytes from its first to the end of its headers (to 4 KiB exactly), and lines."""

    most_bytes: int = 65_536
    most_headers: int = 128


@dataclass(frozen=True, slots=True)
class Head:
    """A request: `target` as sent, header names in lower case. `is_last`: its connection is to be closed."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    is_last: bool = False

    def values(self, name: str) -> tuple[str, ...]:
        """The lines of a header."""
        return tuple(value for of, value in self.headers if of == name)


@dataclass(frozen=True, slots=True)
class Fault:
    """The peer's fault: the status of the last answer on its connection, and what it did, for the log."""

    status: int
    what: str


class _FaultError(Exception):
    def __init__(self, status: int, what: str) -> None:
        super().__init__(what)
        self.fault = Fault(status, what)


class RequestReader:
    """Reads one connection. After a fault it reads nothing any more."""

    def __init__(self, limits: HeadLimits) -> None:
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._fault: Fault | None = None
        self._raised: _FaultError | None = None
        self._heads: list[Head] = []
        self._pending = 0
        self._target = b""
        self._headers: list[tuple[str, str]] = []

    @property
    def is_amid(self) -> bool:
        """Whether a request has begun and has not ended."""
        return self._pending > 0

    def feed(self, data: bytes) -> tuple[tuple[Head, ...], Fault | None]:
        """The requests that end in these bytes, and the fault that comes after them."""
        self._heads = []
        for start in range(0, len(data), _PIECE):
            if self._fault is None:
                self._fault = self._fed(data[start : start + _PIECE])
        return tuple(self._heads), self._fault

    def _fed(self, piece: bytes) -> Fault | None:
        self._pending += len(piece)
        try:
            self._parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            return Fault(400, "it asks for another protocol")
        except httptools.HttpParserInvalidMethodError:
            return Fault(400, "its method is none that is known")
        except httptools.HttpParserError:
            return Fault(400, "it is no request over HTTP/1.1") if self._raised is None else self._raised.fault
        if self._pending > self._limits.most_bytes:
            return Fault(431, "its headers are too large")
        return None

    # What httptools calls.

    def on_message_begin(self) -> None:
        """Start anew."""
        self._target = b""
        self._headers = []

    def on_url(self, piece: bytes) -> None:
        """Part of the target."""
        self._target += piece

    def on_header(self, name: bytes, value: bytes) -> None:
        """One line."""
        if len(self._headers) >= self._limits.most_headers:
            self._refuse(431, "it has too many headers")
        self._headers.append((name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")))

    def on_headers_complete(self) -> None:
        """All that there is of a request: a body is not read, and so there must be none."""
        if self._parser.get_http_version() != "1.1":
            self._refuse(505, "it does not speak HTTP/1.1")
        names = [name for name, _ in self._headers]
        for name in _ONCE:
            if names.count(name) > 1:
                self._refuse(400, f"it has `{name}` more than once")
        if "host" not in names:
            self._refuse(400, "it has no `host`")
        if "transfer-encoding" in names or ("content-length" in names and ("content-length", "0") not in self._headers):
            self._refuse(413, "it has a body")
        if "upgrade" in names or self._parser.should_upgrade():
            self._refuse(400, "it asks for another protocol")

    def on_message_complete(self) -> None:
        """A whole request."""
        self._pending = 0
        method = self._parser.get_method().decode("latin-1")
        is_last = not self._parser.should_keep_alive()
        self._heads.append(Head(method, self._target.decode("latin-1"), tuple(self._headers), is_last))

    def _refuse(self, status: int, what: str) -> None:
        self._raised = _FaultError(status, what)
        raise self._raised
