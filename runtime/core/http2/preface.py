"""Which version of HTTP a client speaks that was asked nothing: on plaintext, and on TLS without ALPN."""

from __future__ import annotations

from meshproof.runtime.core.http2.frames import PREFACE


def speaks_http2(start: bytes | memoryview) -> bool | None:
    """Whether a connection that starts like this is one of HTTP/2 (prior knowledge, RFC 9113, 3.3).

    None: it cannot be told yet. All bytes are for the codec, these too; no request of HTTP/1.1 begins with them.
    """
    size = min(len(start), len(PREFACE))
    if start[:size] != PREFACE[:size]:
        return False
    return True if size == len(PREFACE) else None
