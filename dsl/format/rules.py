"""Rules, mTLS statements and routes as items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.operations import Operation
from meshproof.dsl.ast.routes import (
    Branch,
    Cors,
    HeaderEdit,
    Otherwise,
    Redirect,
    Retry,
    RetryOn,
    RetryReason,
    Route,
    RouteBranch,
    RouteSettings,
    Target,
)
from meshproof.dsl.ast.rules import MtlsStatement, Rule
from meshproof.dsl.format.declarations import flag, listed, many, one, reasons
from meshproof.dsl.format.item import Block, Item
from meshproof.dsl.format.words import Words, comma_separated, name, operation, place_of, port, regions_of, scalar


class RuleItems:
    """Makes items of rules, mTLS statements and routes."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def rule(self, node: Rule) -> Item:
        """`[audit] allow|deny|ask [NAME:] SOURCES -> DESTINATIONS { … }`."""
        head = ("audit " if node.audit else "") + node.effect.value
        if node.name is not None:
            head += f" {name(node.name)}:"
        clauses = [
            *self.conditions("when", node.when),
            *self.conditions("unless", node.unless),
            *_clauses(one("via", node.via)),
            *reasons(node.reasons),
            *_clauses(many("tags", node.tags)),
            *_clauses(many("env", node.env)),
        ]
        entries = (*map(_operation, node.operations), *clauses)
        region = (node.destinations.span.end, node.span.end)
        is_open = len(node.operations) > 1 and bool(clauses)
        has_body = bool(entries)
        return Item(
            place_of(node),
            lambda: (head, self._words.set(node.sources), f"-> {self._words.set(node.destinations)}"),
            kind="rule",
            aligned=3,
            block=Block(entries, region, is_forced_open=is_open) if has_body else None,
            regions=regions_of(node.sources, node.destinations),
        )

    def conditions(self, word: str, nodes: Iterable[Expression]) -> Iterator[Item]:
        """A clause for each condition."""
        for node in nodes:
            yield Item(place_of(node), partial(self._condition, word, node), regions=regions_of(node))

    def _condition(self, word: str, node: Expression) -> tuple[str, ...]:
        first, *rest = self._words.condition(node)
        return f"{word} {first}", *rest

    def mtls(self, node: MtlsStatement) -> Item:
        """`mtls MODE for D { … }`."""
        entries = (*reasons(node.reasons), *_clauses(many("env", node.env)))
        region = (node.destinations.span.end, node.span.end)
        return Item(
            place_of(node),
            lambda: (f"mtls {node.mode.value} for", self._words.set(node.destinations)),
            kind="mtls",
            aligned=2,
            block=Block(entries, region) if entries else None,
            regions=regions_of(node.destinations),
        )

    # ---- routes

    def route(self, node: Route) -> Item:
        """`route D { … }`."""
        entries = (
            *map(self._branch, node.branches),
            *self._settings(node.settings),
            *_clauses(many("env", node.env)),
        )
        return Item(
            place_of(node),
            lambda: ("route", self._words.set(node.destinations)),
            kind="route",
            aligned=2,
            block=Block(entries, (node.destinations.span.end, node.span.end)),
            regions=regions_of(node.destinations),
        )

    def _branch(self, node: RouteBranch) -> Item:
        settings = node.settings
        block = None if settings is None else Block(tuple(self._settings(settings)), place_of(settings))
        when = node.when if isinstance(node, Branch) else None
        return Item(
            place_of(node),
            lambda: (*self._match(node), *_targets(node.targets)),
            kind="branch",
            aligned=1,
            block=block,
            regions=regions_of(when),
        )

    def _match(self, node: RouteBranch) -> tuple[str, ...]:
        if isinstance(node, Otherwise):
            return ("otherwise",)
        parts = [] if node.host is None else [f"host {scalar(node.host)}"]
        parts += ["|".join(node.methods)] if node.methods else []
        parts += [] if node.path is None else [node.path.text]
        parts += [] if node.when is None else self._condition("when", node.when)
        return (" ".join(parts),)

    def _settings(self, node: RouteSettings) -> Iterator[Item]:
        yield from _clauses(one("timeout", node.timeout))
        if node.retry is not None:
            yield Item(place_of(node.retry), lambda: _retry(node.retry))
        if node.mirror is not None:
            mirrored = target(node.mirror.target)
            yield Item(place_of(node.mirror), lambda: ("mirror", mirrored))
        if node.rewrite is not None:
            path = node.rewrite.path.text
            yield Item(place_of(node.rewrite), lambda: ("rewrite path", path))
        if node.redirect is not None:
            redirect = _redirect(node.redirect)
            yield Item(place_of(node.redirect), lambda: redirect)
        yield from map(_header, node.headers)
        if node.cors is not None:
            yield _cors(node.cors)
        yield from self._load_settings(node)

    def _load_settings(self, node: RouteSettings) -> Iterator[Item]:
        if (delay := node.fault_delay) is not None:
            delayed = f"{scalar(delay.delay)} {scalar(delay.share)}"
            yield Item(place_of(delay), lambda: ("fault delay", delayed))
        if (abort := node.fault_abort) is not None:
            aborted = f"{scalar(abort.status)} {scalar(abort.share)}"
            yield Item(place_of(abort), lambda: ("fault abort", aborted))
        yield from _clauses(
            listed("limit", node.limits, (f"{limit.kind.value} {scalar(limit.amount)}" for limit in node.limits))
        )
        if (eject := node.ejection) is not None:
            after = f"after {scalar(eject.errors)} errors for {scalar(eject.duration)} up to {scalar(eject.share)}"
            yield Item(place_of(eject), lambda: ("eject", after))
        if (balance := node.balance) is not None:
            by_header = "" if balance.header is None else f" header {scalar(balance.header)}"
            yield Item(place_of(balance), lambda: ("balance", balance.kind.value + by_header))
        yield from _clauses(one("weights by", node.weights_by))


def _clauses(items: Iterable[Item]) -> Iterator[Item]:
    """Entries that are not put under each other."""
    for item in items:
        yield Item(item.place, item.cells, regions=item.regions)


def _operation(node: Operation) -> Item:
    return Item(place_of(node), lambda: operation(node), kind="operation", aligned=1)


def target(node: Target) -> str:
    """`v1 95%`."""
    weight = "" if node.weight is None else f" {scalar(node.weight)}"
    return name(node.name) + port(node.port) + weight


def _targets(nodes: Iterable[Target]) -> tuple[str, ...]:
    texts = comma_separated(map(target, nodes))
    return ("=>",) if not texts else (f"=> {texts[0]}", *texts[1:])


def _retry(node: Retry | None) -> tuple[str, ...]:
    assert node is not None
    within = () if node.within is None else (f"within {scalar(node.within)}",)
    return (f"retry {scalar(node.attempts)} on", *comma_separated(map(_retry_on, node.conditions)), *within)


def _retry_on(node: RetryOn) -> str:
    return node.reason.value if isinstance(node.reason, RetryReason) else str(node.reason)


def _redirect(node: Redirect) -> tuple[str, ...]:
    parts = ["redirect"]
    parts += [] if node.status is None else [scalar(node.status)]
    parts += [] if node.host is None else [f"host {scalar(node.host)}"]
    parts += [] if node.path is None else [f"path {node.path.text}"]
    return tuple(parts)


def _header(node: HeaderEdit) -> Item:
    value = () if node.value is None else (scalar(node.value),)
    return Item(place_of(node), lambda: (f"{node.action.value} header", scalar(node.name), *value))


def _cors(node: Cors) -> Item:
    methods = Item((node.methods_at.start, node.methods_at.end), lambda: ("methods", ", ".join(node.methods)))
    entries: list[Item] = [
        *_clauses(many("origins", node.origins)),
        *([methods] if node.methods else []),
        *many("headers", node.headers),
        *flag("credentials", node.credentials),
        *one("max-age", node.max_age),
    ]
    start, end = place_of(node)
    return Item((start, end), lambda: ("cors",), block=Block(tuple(entries), (start + len("cors"), end)))
