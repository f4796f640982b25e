"""Which attempts that failed may be made again: where the route says so, and where it is safe."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.routing import Retry
from meshproof.runtime.core.messages import Failure

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
"""Methods that mean the same if they are sent twice (RFC 9110, 9.2.2)."""

_GATEWAY_ERRORS = frozenset((502, 503, 504))
_SERVER_ERRORS = frozenset(range(500, 600))
_UNAVAILABLE = 14
_ANY_FAILURE = frozenset(("reset", "gateway-error", "5xx"))
_NOTHING_DONE = frozenset((Failure.CONNECT, Failure.REFUSED))
_FINAL = frozenset((Failure.OVERFLOW, Failure.CANCELLED))


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What a route says of retries, ready to be asked. The words mean what Envoy's of that name mean."""

    attempts: int
    conditions: frozenset[str]
    statuses: frozenset[int]
    within: float | None

    @classmethod
    def of(cls, retry: Retry) -> RetryRule:
        """Of a policy."""
        words = frozenset(word for word in retry.conditions if not word.isdecimal())
        statuses = {int(word) for word in retry.conditions if word.isdecimal()}
        if "gateway-error" in words:
            statuses |= _GATEWAY_ERRORS
        if "5xx" in words:
            statuses |= _SERVER_ERRORS
        within = None if retry.within_ms is None else retry.within_ms / 1000
        return cls(retry.attempts, words, frozenset(statuses), within)

    def is_after_failure(self, failure: Failure, method: str) -> bool:
        """Whether another attempt may be made after one without an answer.

        A request that may have been looked at is repeated only if its method means the same twice.
        """
        if failure in _FINAL or not (failure.value in self.conditions or self.conditions & _ANY_FAILURE):
            return False
        return failure in _NOTHING_DONE or method in _IDEMPOTENT

    def is_after_answer(self, status: int, grpc_status: int | None, method: str) -> bool:
        """Whether another attempt may be made instead of passing on this answer.

        `grpc_status` is the one that the head of an answer has which is nothing but a head: then no message was
        answered, and of 14 gRPC says itself that it is to be tried again (ADR 0210).
        """
        if grpc_status == _UNAVAILABLE and "unavailable" in self.conditions:
            return True
        return status in self.statuses and method in _IDEMPOTENT
