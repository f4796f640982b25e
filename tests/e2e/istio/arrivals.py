"""What reaches a proxy: one connection, and on it a request or bytes that are none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from meshproof.compiler.ir.request import Request, RequestProtocol, Token

HTTP_ALPN = ("istio-http/1.1", "istio", "http/1.1")
"""What a sidecar offers for HTTP. Without it a proxy looks at the first bytes of a connection."""

TCP_ALPN = ("istio-peer-exchange", "istio")
SNIFFED_HTTP = ("http/1.1",)


@dataclass(frozen=True, slots=True)
class Listening:
    """What proxies before a workload need to know of themselves to read their own configuration."""

    listener: str
    port: int
    address: str


class Arrival:
    """A request of ours as Envoy meets it."""

    def __init__(self, request: Request, local: Listening, *, sees_tls: bool = True, sees_http: bool = True) -> None:
        """Take the request as it comes to the proxy, which may look at the first bytes or not."""
        self.request = request
        self.local = local
        self._sees_tls = sees_tls
        self._sees_http = sees_http

    def as_inspected(self, *, sees_tls: bool, sees_http: bool) -> Arrival:
        """The same for a proxy that tells TLS or HTTP from other bytes, or does not."""
        return Arrival(self.request, self.local, sees_tls=sees_tls, sees_http=sees_http)

    @property
    def is_http(self) -> bool:
        """Whether the bytes are those of HTTP."""
        return self.request.protocol is not RequestProtocol.TCP

    @property
    def identity(self) -> str | None:
        """The URI in the certificate of the peer."""
        return self.request.source.identity

    @property
    def is_tls(self) -> bool:
        """Whether the first bytes are those of TLS."""
        return self._sees_tls and (self.identity is not None or self.request.sni is not None)

    @property
    def application_protocols(self) -> tuple[str, ...]:
        """What the peer offers, or what its bytes look like."""
        if self.identity is not None and self.is_tls:
            return HTTP_ALPN if self.is_http else TCP_ALPN
        return SNIFFED_HTTP if self.is_http and self._sees_http and self.request.sni is None else ()

    @property
    def server_name(self) -> str:
        """The name that the peer asked for, empty without one. Envoy makes it lower case."""
        return (self.request.sni or "").lower() if self._sees_tls else ""

    @property
    def peer(self) -> str:
        """The address of the peer."""
        assert self.request.source.ip is not None
        return self.request.source.ip

    @property
    def token(self) -> Token | None:
        """The token."""
        return self.request.token

    @cached_property
    def raw_path(self) -> str:
        """The path as it was sent."""
        return self.request.path or ""

    def lines(self, name: str) -> tuple[str, ...]:
        """The values of a header, or of what HTTP/2 sends as one."""
        pseudo = {":authority": self.request.host, "host": self.request.host, ":method": self.request.method}
        if name in pseudo:
            found = pseudo[name]
            return () if found is None else (found,)
        return tuple(value for key, value in self.request.headers if key == name)
