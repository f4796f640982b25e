"""What a gRPC client is told by the proxy itself: a status of gRPC with 200, as Envoy and gRPC's own mapping say.

A client of gRPC reads `grpc-status` and not the status of HTTP. Envoy answers it with 200 and trailers alone, and so
do we: `403` is PERMISSION_DENIED (7), `401` UNAUTHENTICATED (16), what is unavailable UNAVAILABLE (14).
"""

from __future__ import annotations

from typing import Final

from meshproof.runtime.core.messages import RequestHead, Respond

_GRPC: Final = b"application/grpc"
_UNKNOWN: Final = 2
_STATUS: Final = {400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 502: 14, 503: 14, 504: 14}


def is_grpc(head: RequestHead) -> bool:
    """Whether a request is one of gRPC, by its `content-type`."""
    return any(
        name == b"content-type" and (value == _GRPC or value.startswith(_GRPC + b"+")) for name, value in head.fields
    )


def grpc_reply(answer: Respond) -> Respond:
    """An answer of the proxy as a client of gRPC understands it: trailers alone, with the body as its message."""
    status = _STATUS.get(answer.status, _UNKNOWN)
    fields = [field for field in answer.fields if field[0] != b"content-type"]
    fields += [(b"content-type", _GRPC), (b"grpc-status", b"%d" % status)]
    if answer.body:
        fields.append((b"grpc-message", _quoted(answer.body)))
    return Respond(200, b"", tuple(fields), answer.flags)


def _quoted(text: bytes) -> bytes:
    """Percent-encoded as gRPC has it: all but visible ASCII and blanks, and `%` itself."""
    return b"".join(
        bytes((byte,)) if 0x20 <= byte <= 0x7E and byte != 0x25 else b"%%%02X" % byte  # noqa: PLR2004  those of ASCII
        for byte in text
    )
