"""`cors`: who may read answers in a browser."""

from __future__ import annotations

import re

from meshproof.compiler.ir.routing import Cors
from meshproof.runtime.core.traffic.header_edits import Lines

_ORIGIN = re.compile(r"\*|null|[!-~]+").fullmatch
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_OURS = frozenset((b"access-control-allow-origin", b"access-control-allow-credentials"))


class CorsError(ValueError):
    """What a route says of origins is not what a browser is told. One lower-case sentence."""


class CorsRule:
    """What browsers are told. An origin is compared whole; `*` is every origin, and then never with credentials."""

    __slots__ = ("_origins", "_preflight", "_with_credentials")

    def __init__(self, cors: Cors) -> None:
        """Raises `CorsError`."""
        for origin in cors.origins:
            if not _ORIGIN(origin):
                raise CorsError(f"`{origin}` is no origin")
        for name in (*cors.methods, *cors.headers):
            if not _TOKEN(name):
                raise CorsError(f"`{name}` is no name of a method or a header")
        self._origins = frozenset(origin.encode("ascii") for origin in cors.origins)
        self._with_credentials = cors.allows_credentials
        told: list[tuple[bytes, bytes]] = []
        if cors.methods:
            told.append((b"access-control-allow-methods", ",".join(cors.methods).encode("ascii")))
        if cors.headers:
            told.append((b"access-control-allow-headers", ",".join(cors.headers).encode("ascii")))
        if cors.max_age_ms is not None:
            told.append((b"access-control-max-age", str(cors.max_age_ms // 1000).encode("ascii")))
        self._preflight = tuple(told)

    def origin(self, lines: Lines) -> bytes | None:
        """The origin of a request as it is told back; None where it has none, several, or one that is not allowed."""
        found = [value for name, value in lines if name == b"origin" or name.lower() == b"origin"]
        if len(found) != 1:
            return None
        if found[0] in self._origins:
            return found[0]
        return b"*" if b"*" in self._origins else None

    def preflight(self, method: str, lines: Lines) -> Lines | None:
        """The headers of the answer to a preflight of an origin that is allowed; None where it is none: it goes on."""
        asked = b"access-control-request-method"
        if method != "OPTIONS" or not any(name.lower() == asked for name, _ in lines):
            return None
        origin = self.origin(lines)
        return None if origin is None else (*self._told(origin), *self._preflight)

    def answered(self, origin: bytes, lines: Lines) -> Lines:
        """The headers of an answer that this origin may read; what the workload says of that gives way."""
        return (*(line for line in lines if line[0].lower() not in _OURS), *self._told(origin))

    def _told(self, origin: bytes) -> Lines:
        told: Lines = ((b"access-control-allow-origin", origin),)
        if origin == b"*":
            return told
        if self._with_credentials:
            told = (*told, (b"access-control-allow-credentials", b"true"))
        return (*told, (b"vary", b"origin"))
