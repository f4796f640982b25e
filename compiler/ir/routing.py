"""Where the sender's proxy sends a request, and how. Durations are whole milliseconds, shares whole percents."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Predicate


@dataclass(frozen=True, slots=True)
class Target:
    """A share of the traffic to a node: a version of it (None: any) at a workload port (None: the one called).

    Lifted files alone have the rest. `label` is what outcomes call it, where several nodes stand behind one name.
    `is_alternative`: it has no share of its own, but that of the target before it goes to either.
    """

    node: NodeName
    version: str | None
    port: int | None
    weight: int
    origin: Origin
    label: str | None = None
    is_alternative: bool = False


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
    """An answer instead of a destination; `status` is 301, 302, 307 or 308 (303 too in lifted files).

    Lifted files alone have the rest; with `replaces_prefix` the path is put in place of the prefix that was matched.
    """

    status: int
    host: str | None
    path: str | None
    origin: Origin
    scheme: str | None = None
    port: int | None = None
    replaces_prefix: bool = False


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
    """What is done to the requests that a branch takes. None and empty mean: not done.

    `rewrite_host` (lifted files alone) is the host with which they go on.
    """

    timeout_ms: int | None = None
    retry: Retry | None = None
    mirror: Mirror | None = None
    rewrite_path: str | None = None
    headers: tuple[HeaderEdit, ...] = ()
    cors: Cors | None = None
    fault: Fault | None = None
    rewrite_host: str | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """One line of a route. It takes a request if host, methods, path and `when` all agree (each may be left out).

    `condition` is all of that as one predicate. Exactly one of `targets`, `redirect` and `answer` is there; `answer`
    (lifted files alone) is a status that the sender's proxy answers itself. `settings` are the effective ones: the
    route's, overridden by the branch's. `is_implied` (lifted files alone): nobody wrote it, proxies do that by default.
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
    answer: int | None = None
    is_implied: bool = False

    @property
    def is_editing(self) -> bool:
        """Whether what goes on is not what was taken: another path, host or header."""
        settings = self.settings
        return settings.rewrite_path is not None or settings.rewrite_host is not None or bool(settings.headers)


@dataclass(frozen=True, slots=True)
class Route:
    """How requests to a node are sent, first branch first. `port` is a workload port; None is every HTTP port.

    `weights_by` names a controller that moves the weights: then proofs hold for every split over the versions.
    `layer` (lifted files alone): it is for requests alone, or for connections alone.
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
    layer: Layer | None = None

    def is_at(self, port: int, layer: Layer) -> bool:
        """Whether it is the route of that port, and not of others too, for requests or connections."""
        return self.port == port and self.layer in {None, layer}
