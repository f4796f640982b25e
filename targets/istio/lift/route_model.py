"""Routes as Istio has them, before it is known who sends to what: of VirtualServices and of the Gateway API."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Predicate
from meshproof.compiler.ir.routing import HeaderEdit, Redirect, Settings
from meshproof.targets.istio.lift.hosts import Exports
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.regex_rewrites import RegexRewrite


@dataclass(frozen=True, slots=True)
class Match:
    """One item of `match`: a request is taken if all of it agrees.

    `predicate` is what is asked of the request itself, `path` what of it is asked of the path, for rewrites. The rest
    is told apart when the proxies are configured: `port` is the one that is dialled, `gateways` (None: those of the
    object) and the sender. `sender_origin` is where the sender is spoken of.
    """

    predicate: Predicate
    path: Matcher | None
    origin: Origin
    port: int | None = None
    gateways: tuple[str, ...] | None = None
    sender_labels: tuple[tuple[str, str], ...] = ()
    sender_namespace: str | None = None

    @property
    def asks_for_sender(self) -> bool:
        """Whether it is for some senders alone."""
        return bool(self.sender_labels) or self.sender_namespace is not None


@dataclass(frozen=True, slots=True)
class Sending:
    """A destination and its share. `host` is the full name; `port` None is the only one, else the one dialled.

    `status` is an answer instead, where the reference is not valid.
    """

    host: str
    subset: str | None
    port: int | None
    weight: int
    edits: tuple[HeaderEdit, ...]
    origin: Origin
    rewrite_host: str | None = None
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A mirror."""

    sending: Sending
    percent: int
    origin: Origin


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A field of a rule that is not modelled: what is done with the requests that the rule takes is not known."""

    field: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class RouteRule:
    """One rule: the first that takes a request decides. `place` is `NAMESPACE/NAME[INDEX]`.

    `namespace` is that of the object, in which names of hosts are read. `settings` lack the mirror, which leads to a
    host as destinations do. `rank` orders the rules of the Gateway API among each other, None is the order written.
    """

    place: str
    namespace: str
    matches: tuple[Match, ...]
    sendings: tuple[Sending, ...]
    redirect: Redirect | None
    answer: int | None
    settings: Settings
    copies: tuple[Copy, ...]
    unsettled: tuple[Unsettled, ...]
    origin: Origin
    rank: tuple[int, ...] | None = None
    regex: RegexRewrite | None = None
    """What is done to the path by an expression; what it makes of a path hangs on what a match takes."""


@dataclass(frozen=True, slots=True)
class RouteTable:
    """Rules for some hosts at some gateways (`NAMESPACE/NAME`, or `mesh`).

    `opaque_tls` are rules by server name for TLS that is not ended, `tcp` rules for connections. `priority` is higher
    for what comes before others of the same host, whichever is older.
    """

    source: KubeObject
    hosts: tuple[str, ...]
    gateways: tuple[str, ...]
    exports: Exports
    http: tuple[RouteRule, ...]
    opaque_tls: tuple[RouteRule, ...] = ()
    tcp: tuple[RouteRule, ...] = ()
    ports: frozenset[int] | None = None
    """The ports that are dialled to which it is bound, None for all; of the Gateway API's routes alone."""
    priority: int = 0
