"""What an AuthorizationPolicy does not see as the client sent it, measured with Envoy 1.40 over HTTP/1.1.

Of 15,600 names of headers (every word of Envoy's binary and of the registries of IANA) these alone came out otherwise.
"""

from __future__ import annotations

JOINED = frozenset(
    (
        "accept",
        "accept-encoding",
        "access-control-request-headers",
        "access-control-request-method",
        "access-control-request-private-network",
        "authentication",
        "authorization",
        "cache-control",
        "cdn-loop",
        "content-encoding",
        "content-type",
        "expect",
        "grpc-accept-encoding",
        "grpc-timeout",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "origin",
        "pragma",
        "proxy-status",
        "referer",
        "user-agent",
        "via",
        "x-client-trace-id",
    )
)
"""Envoy has one place for each of these: the lines of a repeated one become one value, with commas between them."""

TAKEN_AWAY = frozenset(("connection", "keep-alive", "proxy-connection", "te", "upgrade"))
"""Headers of the connection, which Envoy removes before any rule looks."""

WRITTEN = frozenset(("x-request-id",))
"""What Envoy writes itself where it is missing, and changes where it samples traces."""

METHODS = frozenset(
    (
        *("ACL", "BIND", "CHECKOUT", "COPY", "DELETE", "GET", "HEAD", "LINK", "LOCK", "MERGE", "MKACTIVITY"),
        *("MKCALENDAR", "MKCOL", "MOVE", "MSEARCH", "NOTIFY", "OPTIONS", "PATCH", "POST", "PROPFIND", "PROPPATCH"),
        *("PURGE", "PUT", "REBIND", "REPORT", "SEARCH", "SOURCE", "SUBSCRIBE", "TRACE", "UNBIND", "UNLINK", "UNLOCK"),
        "UNSUBSCRIBE",
    )
)
"""The methods that are let in; any other is answered 400."""
