"""Headers that a proxy takes for itself before anything is judged."""

from __future__ import annotations

CONNECTION_HEADERS = frozenset(
    {
        *("connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade", "http2-settings"),
        *("proxy-authenticate", "proxy-authorization", "content-length"),
    }
)
"""Those of one connection (RFC 9110, 7.6.1) and of the length of one message. Versions of HTTP write them differently,
or not at all, so a rule that reads one would say another thing of the same request: a runtime keeps no such rule."""
