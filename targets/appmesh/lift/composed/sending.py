"""How long requests may take and what is tried again, as a route of App Mesh says it.

Source: App Mesh user guide, "Envoy defaults" (15 s; two retries where a route says nothing); Envoy, which ends every
attempt by `per_try_timeout`, the first one too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.routing import Ejection, Limits, Retry

DEFAULT_MS = 15_000
"""Where nothing is said."""

_HTTP = {"stream-error": "refused", "server-error": "5xx", "client-error": "retriable-4xx"}
_TCP = {"connection-error": "connect-failure"}


def limit_of(part: Any) -> int | None:  # noqa: ANN401  of a route of HTTP or gRPC
    """Milliseconds for a request on this hop, with those of its one attempt if nothing is tried again."""
    found = _per_request(part.timeout)
    policy = part.retry_policy
    return least((found, _ms(policy.per_retry_timeout))) if policy is not None and not policy.max_retries else found


def listener_limit(listener: Any) -> int | None:  # noqa: ANN401
    """Milliseconds for a request at a listener of HTTP or gRPC."""
    kind = listener.port_mapping.protocol
    return None if kind == "tcp" else _per_request(getattr(listener.timeout, kind, None))


def least(limits: Iterable[int | None]) -> int | None:
    """The shortest of several limits, None for none."""
    return min((one for one in limits if one is not None), default=None)


def is_silent(part: Any) -> bool:  # noqa: ANN401
    """Whether nothing is said of retries: then App Mesh tries again as it sees fit."""
    return part.retry_policy is None


def retry_of(part: Any, origin: Origin) -> Retry | None:  # noqa: ANN401
    """What is tried again, in the words of the language and of Envoy."""
    policy = part.retry_policy
    if policy is None or not policy.max_retries:
        return None
    words = [
        *(_HTTP.get(one, one) for one in policy.http_retry_events or ()),
        *(_TCP[one] for one in policy.tcp_retry_events or ()),
        *(getattr(policy, "grpc_retry_events", None) or ()),
    ]
    limit, each = _per_request(part.timeout), _ms(policy.per_retry_timeout)
    is_whole = each is None or (limit is not None and each >= limit)
    return Retry(policy.max_retries, tuple(sorted(words)), None if is_whole else each, origin)


def limits_of(listener: Any) -> Limits | None:  # noqa: ANN401
    """The bounds of a listener's connection pool."""
    pool = listener.connection_pool
    if pool is None:
        return None
    if pool.http is not None:
        return Limits(connections=pool.http.max_connections, pending=pool.http.max_pending_requests)
    if pool.tcp is not None:
        return Limits(connections=pool.tcp.max_connections)
    return Limits(requests=(pool.grpc or pool.http2).max_requests)


def ejection_of(listener: Any) -> Ejection | None:  # noqa: ANN401
    """When callers leave an endpoint out."""
    found = listener.outlier_detection
    if found is None:
        return None
    return Ejection(found.max_server_errors, _ms(found.base_ejection_duration) or 0, found.max_ejection_percent)


def _per_request(timeout: Any) -> int | None:  # noqa: ANN401
    """A limit of 0 is none (user guide, "Virtual nodes")."""
    written = None if timeout is None else timeout.per_request
    return DEFAULT_MS if written is None else _ms(written)


def _ms(duration: Any) -> int | None:  # noqa: ANN401
    value = duration.value or 0
    return (value * 1000 if duration.unit == "s" else value) or None
