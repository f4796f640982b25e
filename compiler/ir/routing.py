"""Where the sender's proxy sends a request, and how. Durations are whole milliseconds, shares whole percents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Predicate


@dataclass(frozen=True, slots=True)
class Target:
    """A share of the traffic to a node: a version of it (None: any) at a workload port (None: the one called)."""

    node: NodeName
    version: str | None
    port: int | None
    weight: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Retry:
    """`attempts` after the first; `conditions` as written; `within_ms` is for each attempt."""

    attempts: int
    conditions: tuple[str, ...]
    within_ms: int | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Mirror:
    """A copy of `percent` of the requests; answers to it are thrown away."""

    target: Target
    percent: int
    origin: Origin


class HeaderAction(StrEnum):
    """What is done to a request header."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class HeaderEdit:
    """An edit of a request header; `name` in lower case, `value` empty for a removal."""

    action: HeaderAction
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """An answer instead of a destination; `status` is 301, 302, 307 or 308."""

    status: int
    host: str | None
    path: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class Cors:
    """Who may read answers in a browser."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    allows_credentials: bool
    max_age_ms: int | None


@dataclass(frozen=True, slots=True)
class Fault:
    """Injected trouble: a delay, an abort with a status, each for a share of the requests."""

    delay_ms: int | None = None
    delay_percent: int = 0
    abort_status: int | None = None
    abort_percent: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds per destination; None is no bound."""

    connections: int | None = None
    pending: int | None = None
    requests: int | None = None


@dataclass(frozen=True, slots=True)
class Ejection:
    """Outlier ejection: after `errors` in a row, for `for_ms`, up to `percent` of the endpoints."""

    errors: int
    for_ms: int
    percent: int


class BalanceKind(StrEnum):
    """How an endpoint is chosen."""

    LEAST_REQUEST = "least-request"
    ROUND_ROBIN = "round-robin"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Balance:
    """Load balancing; `header` is what `hash` goes by."""

    kind: BalanceKind
    header: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What is done to the requests that a branch takes. None and empty mean: not done."""

    timeout_ms: int | None = None
    retry: Retry | None = None
    mirror: Mirror | None = None
    rewrite_path: str | None = None
    headers: tuple[HeaderEdit, ...] = ()
    cors: Cors | None = None
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a route. It takes a request if host, methods, path and `when` all agree (each may be left out).

    `condition` is all of that as one predicate. Exactly one of `targets` and `redirect` is there. `settings` are
    the effective ones: the route's, overridden by the branch's.
    """

    id: str
    host: Matcher | None
    methods: tuple[str, ...]
    path: Matcher | None
    when: Predicate
    condition: Predicate
    is_otherwise: bool
    targets: tuple[Target, ...]
    redirect: Redirect | None
    settings: Settings
    origin: Origin


@dataclass(frozen=True, slots=True)
class Route:
    """How requests to a node are sent, first branch first. `port` is a workload port; None is every HTTP port.

    `weights_by` names a controller that moves the weights: then proofs hold for every split over the versions.
    """

    id: str
    node: NodeName
    port: int | None
    branches: tuple[Branch, ...]
    origin: Origin
    limits: Limits | None = None
    ejection: Ejection | None = None
    balance: Balance | None = None
    weights_by: str | None = None
