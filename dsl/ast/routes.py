"""Where the sender's proxy, or the gateway, sends a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.node import NOWHERE, Flag, Node
from meshproof.dsl.ast.operations import PathPattern
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import Duration, Name, Number, NumberValue, Percent, PortRef, StringValue, Text
from meshproof.dsl.source import Span


@dataclass(frozen=True, slots=True)
class Target(Node):
    """`VERSION [N%]`, or for a gateway `SERVICE:PORT [N%]`."""

    name: Name
    port: PortRef | None = None
    weight: Percent | None = None


class RetryReason(StrEnum):
    """The failures that are tried again, by word; a status is a `Number` instead."""

    CONNECT_FAILURE = "connect-failure"
    RESET = "reset"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    GATEWAY_ERROR = "gateway-error"
    SERVER_ERROR = "5xx"


@dataclass(frozen=True, slots=True)
class RetryOn(Node):
    """One condition of a retry: a word, or a status from 100 to 599."""

    reason: RetryReason | int


@dataclass(frozen=True, slots=True)
class Retry(Node):
    """`retry N on COND, … [within D]`: `within` is for each attempt."""

    attempts: NumberValue
    conditions: tuple[RetryOn, ...]
    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class Mirror(Node):
    """`mirror V|SERVICE:PORT N%`; the weight of the target is always there."""

    target: Target


@dataclass(frozen=True, slots=True)
class Rewrite(Node):
    """`rewrite path /p`: literals, perhaps with a last `**`, which stands for what the branch's own `**` took."""

    path: PathPattern


@dataclass(frozen=True, slots=True)
class Redirect(Node):
    """`redirect [301|302|307|308] [host "H"] [path /p]`, host or path at least; the path as in `Rewrite`."""

    status: Number | None = None
    host: StringValue | None = None
    path: PathPattern | None = None


class HeaderAction(StrEnum):
    """What is done to a header."""

    SET = "set"
    ADD = "add"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True)
class HeaderEdit(Node):
    """`set|add header "x" "v"`, `remove header "x"` (which has no value)."""

    action: HeaderAction
    name: Text
    value: StringValue | None = None


@dataclass(frozen=True, slots=True)
class Cors(Node):
    """`cors { origins … methods … headers … credentials max-age D }`; `methods_at` is where its methods stand."""

    origins: tuple[StringValue, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[Text, ...] = ()
    credentials: Flag | None = None
    max_age: Duration | None = None
    methods_at: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class FaultDelay(Node):
    """`fault delay 5s 1%`."""

    delay: Duration
    share: Percent


@dataclass(frozen=True, slots=True)
class FaultAbort(Node):
    """`fault abort 503 1%`."""

    status: Number
    share: Percent


class LimitKind(StrEnum):
    """What is counted."""

    CONNECTIONS = "connections"
    PENDING = "pending"
    REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class Limit(Node):
    """`connections N`, `pending N` or `requests N`; each at most once in a block."""

    kind: LimitKind
    amount: NumberValue


@dataclass(frozen=True, slots=True)
class Ejection(Node):
    """`eject after N errors for D up to P%`."""

    errors: NumberValue
    duration: Duration
    share: Percent


class BalanceKind(StrEnum):
    """How the instance of a destination is chosen."""

    LEAST_REQUEST = "least-request"
    ROUND_ROBIN = "round-robin"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Balance(Node):
    """`balance least-request | round-robin | hash header "x"`; the header is there for `hash` alone."""

    kind: BalanceKind
    header: Text | None = None


@dataclass(frozen=True, slots=True)
class RouteSettings(Node):
    """The settings of a route (for all branches) or of one branch; each at most once, header edits any number."""

    timeout: Duration | None = None
    retry: Retry | None = None
    mirror: Mirror | None = None
    rewrite: Rewrite | None = None
    redirect: Redirect | None = None
    headers: tuple[HeaderEdit, ...] = ()
    cors: Cors | None = None
    fault_delay: FaultDelay | None = None
    fault_abort: FaultAbort | None = None
    limits: tuple[Limit, ...] = ()
    ejection: Ejection | None = None
    balance: Balance | None = None
    weights_by: Text | None = None


NO_SETTINGS = RouteSettings()


@dataclass(frozen=True, slots=True)
class Branch(Node):
    """`[host "H"] [METHODS] [PATH] [when EXPR] => TARGETS [{ settings }]`; something stands before the `=>`.

    `methods` empty means any. `targets` empty (then there are settings) means the route's destination undivided, or
    nothing at all where the settings hold a redirect.
    """

    host: StringValue | None = None
    methods: tuple[str, ...] = ()
    path: PathPattern | None = None
    when: Expression | None = None
    targets: tuple[Target, ...] = ()
    settings: RouteSettings | None = None


@dataclass(frozen=True, slots=True)
class Otherwise(Node):
    """`otherwise => TARGETS [{ settings }]`: takes what no branch before it took; always the last."""

    targets: tuple[Target, ...] = ()
    settings: RouteSettings | None = None


RouteBranch: TypeAlias = Branch | Otherwise


@dataclass(frozen=True, slots=True)
class Route(Node):
    """`route D { BRANCHES SETTINGS }`; without branches everything goes to the destination undivided."""

    destinations: SetExpression
    branches: tuple[RouteBranch, ...] = ()
    settings: RouteSettings = NO_SETTINGS
    env: tuple[Name, ...] = ()
