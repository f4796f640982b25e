"""What is tried again. App Mesh tries twice where nothing is said (user guide, "Envoy defaults"): nothing is said."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.routing import Retry
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.model.route import GrpcRetryPolicy, HttpRetryPolicy
from meshproof.targets.appmesh.model.shared import Duration

_HTTP = {"refused": "stream-error", "gateway-error": "gateway-error"}
_TCP = {"connect-failure": "connection-error"}
_GRPC = {"unavailable": "unavailable"}
_NO_LIMIT = 0
"""For each attempt, where nothing is said. Envoy ends the first attempt by it too, even if no other may follow."""

NEVER = "connection-error"
"""A policy has to name some event, even if it tries nothing again."""


@dataclass(frozen=True, slots=True)
class Lost:
    """What of the policy has retries, and where they may be lost."""

    subject: str
    at: Destination | None

    def of_retry(self, message: str, origin: Origin, word: str) -> Loss:
        """The loss of some of them, as `Loss.settings` names it."""
        feature, direction = Feature.ROUTE_SETTINGS, Direction.STRICTER
        return Loss(feature, direction, self.subject, message, origin, settings=(word,), at=self.at)


def http_retry(context: Context, lost: Lost, retry: Retry | None, timeout_ms: int | None) -> HttpRetryPolicy:
    """The policy of a route of HTTP or HTTP/2."""
    http, tcp, _ = _events(context, lost, retry, with_grpc=False)
    attempts = 0 if retry is None or not (http or tcp) else retry.attempts
    tcp = tcp if http or tcp else (NEVER,)
    return HttpRetryPolicy(attempts, _each(retry if attempts else None, timeout_ms), http or None, tcp or None)


def grpc_retry(context: Context, lost: Lost, retry: Retry | None, timeout_ms: int | None) -> GrpcRetryPolicy:
    """The policy of a route of gRPC."""
    http, tcp, grpc = _events(context, lost, retry, with_grpc=True)
    attempts = 0 if retry is None or not (http or tcp or grpc) else retry.attempts
    tcp = tcp if http or tcp or grpc else (NEVER,)
    return GrpcRetryPolicy(
        attempts, _each(retry if attempts else None, timeout_ms), grpc or None, http or None, tcp or None
    )


_Words = tuple[str, ...]


def _events(context: Context, lost: Lost, retry: Retry | None, *, with_grpc: bool) -> tuple[_Words, _Words, _Words]:
    """The events of HTTP, of connections and of gRPC at which it is tried again; the others are in the findings."""
    conditions = () if retry is None else retry.conditions
    http = tuple(_HTTP[one] for one in conditions if one in _HTTP)
    tcp = tuple(_TCP[one] for one in conditions if one in _TCP)
    grpc = tuple(_GRPC[one] for one in conditions if with_grpc and one in _GRPC)
    for one in conditions:
        if retry is not None and one not in _HTTP and one not in _TCP and not (with_grpc and one in _GRPC):
            message = f"nothing is tried again on `{one}`"
            context.findings.lose(lost.of_retry(message, retry.origin, f"retry {one}"))
    return http, tcp, grpc


def _each(retry: Retry | None, timeout_ms: int | None) -> Duration:
    within = None if retry is None else retry.within_ms
    return Duration("ms", within or timeout_ms or _NO_LIMIT)
