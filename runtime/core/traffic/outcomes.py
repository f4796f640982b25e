"""What an answer says of whoever gave it."""

from __future__ import annotations

from meshproof.runtime.core.messages import Fields, ResponseHead

_SERVER_ERROR = 500
_GRPC_ERRORS = frozenset((2, 4, 12, 13, 14, 15))
"""The codes of gRPC that Envoy takes for a status of 500 and above."""


def grpc_status(fields: Fields) -> int | None:
    """The status of gRPC in a head or in trailers; None without one, or with one that is no number."""
    for name, value in fields:
        if name == b"grpc-status":
            return int(value) if value.isdigit() and len(value) <= 2 else None  # noqa: PLR2004  codes end at 16
    return None


def is_error(status: int, code: int | None) -> bool:
    """Whether the endpoint has failed: by the status of HTTP, or by the one of gRPC."""
    return status >= _SERVER_ERROR or code in _GRPC_ERRORS


def code_of(head: ResponseHead) -> int | None:
    """The status of gRPC of an answer that is nothing but a head."""
    return grpc_status(head.fields) if head.is_end and not head.body else None
