"""Which attempts that failed may be made again: where the route says so, and where it is safe."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from meshproof.compiler.ir.routing import Retry

_IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
"""Methods that mean the same if they are sent twice (RFC 9110, 9.2.2)."""

_GATEWAY_ERRORS = frozenset((502, 503, 504))
_SERVER_ERRORS = frozenset(range(500, 600))
_UNAVAILABLE = 14
_ANY_FAILURE = frozenset(("reset", "gateway-error", "5xx"))


class Failure(Enum):
    """How an attempt ends without an answer."""

    CONNECT = "connect"
    """There is no connection, or the other end is not who it should be: nothing was sent."""

    REFUSED = "refused"
    """The other end says that it has not looked at the request (HTTP/2 alone can say so)."""

    RESET = "reset"
    """The connection or the stream ended before there was an answer."""

    PROTOCOL = "protocol"
    """What came is no answer."""

    TIMEOUT = "timeout"
    """The attempt took longer than it may."""


_CONDITIONS = {Failure.CONNECT: "connect-failure", Failure.REFUSED: "refused"}


@dataclass(frozen=True, slots=True)
class RetryRule:
    """What a route says of retries, ready to be asked."""

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
        return cls(
            retry.attempts, words, frozenset(statuses), None if retry.within_ms is None else retry.within_ms / 1000
        )

    def is_after_failure(self, failure: Failure, method: str, *, is_sent: bool) -> bool:
        """Whether another attempt may be made. `is_sent`: some of the request may have reached the other end."""
        if not self.conditions & _ANY_FAILURE and _CONDITIONS.get(failure) not in self.conditions:
            return False
        return not is_sent or failure in {Failure.CONNECT, Failure.REFUSED} or method in _IDEMPOTENT

    def is_after_answer(self, status: int, grpc_status: int | None, method: str) -> bool:
        """Whether another attempt may be made instead of passing on this answer.

        `grpc_status` is the one that the head of an answer has which is nothing but a head: then no message was
        answered, and of 14 gRPC says itself that it is to be tried again (ADR 0210).
        """
        if grpc_status == _UNAVAILABLE and "unavailable" in self.conditions:
            return True
        return status in self.statuses and method in _IDEMPOTENT
