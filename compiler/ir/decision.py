"""What is decided about a request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.routing import HeaderEdit, Mirror, Redirect, Retry


class Reason(StrEnum):
    """The step of "What happens to a request" that decided."""

    TRANSPORT = "transport"
    PATH = "path"
    TOKEN = "token"  # noqa: S105  a step's name
    ASK = "ask"
    RULE = "rule"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed or refused, at which step, and by all matching rules of the effect that decided, in name order."""

    is_allowed: bool
    reason: Reason
    determined_by: tuple[RuleId, ...] = ()
    is_observed: bool = False
    """Refused, but only logged because the destination is under `observe`: `is_allowed` is true then."""


@dataclass(frozen=True, slots=True)
class RouteOutcome:
    """What the sender's proxy does: shares per destination (version or node:port), or an answer of its own.

    That is a redirect, or (in lifted files) the status `answer`. `rewrite_host` is the host with which it goes on.
    """

    branch: str | None
    destinations: tuple[tuple[str, int], ...]
    path: str | None
    timeout_ms: int | None
    retry: Retry | None
    mirror: Mirror | None
    headers: tuple[HeaderEdit, ...] = ()
    redirect: Redirect | None = None
    answer: int | None = None
    rewrite_host: str | None = None
