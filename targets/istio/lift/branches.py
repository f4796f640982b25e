"""Rules of a table as branches of the IR, for one class of senders and one port that is dialled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meshproof.compiler.ir.matchers import Matcher, Prefix
from meshproof.compiler.ir.names import NodeName, Origin
from meshproof.compiler.ir.predicate import Always, Opaque, Predicate, conjunction
from meshproof.compiler.ir.routing import Branch, Mirror, Retry, Settings, Target
from meshproof.targets.istio.lift.destinations import NO_CLUSTER, Destinations, Dialled
from meshproof.targets.istio.lift.regex_rewrites import settled
from meshproof.targets.istio.lift.route_model import Match, RouteRule, RouteTable, Unsettled
from meshproof.targets.istio.lift.route_settings import WHOLE
from meshproof.targets.istio.lift.senders import Sender

AS_CALLED = NodeName("")
"""Stands for the node that is called, until it is known which one that is."""


class Branches:
    """Makes branches; their names say the rule, and get the place at which they stand later."""

    def __init__(self, destinations: Destinations) -> None:
        self._destinations = destinations

    def of(
        self,
        rules: tuple[RouteRule, ...],
        table: RouteTable,
        sender: Sender,
        dialled: Dialled,
        gateways: frozenset[str],
    ) -> tuple[Branch, ...]:
        """The branches of the rules that are in force for the sender's proxy, in order; none if no rule is."""
        return tuple(
            branch
            for rule in rules
            for number, match in enumerate(rule.matches)
            if (asked := _in_force(match, table, sender, dialled.port, gateways)) is not None
            for branch in self._branch(rule, _place(rule, number), match, asked, sender, dialled)
        )

    def _branch(
        self, rule: RouteRule, place: str, match: Match, asked: Predicate, sender: Sender, dialled: Dialled
    ) -> Iterator[Branch]:
        unsettled = list(rule.unsettled)
        arrivals = self._destinations.arrivals(rule.sendings, sender, dialled)
        answer = rule.answer
        targets: tuple[Target, ...] = ()
        if arrivals and all(one.status is not None for one in arrivals):
            answer = arrivals[0].status
        elif arrivals:
            targets = tuple(target for one in arrivals for target in one.targets)
            if any(not one.targets for one in arrivals):
                unsettled.append(Unsettled("backendRefs", rule.origin))
        elif rule.redirect is None and answer is None:
            answer = NO_CLUSTER
        settings = self._settings(rule, sender, dialled, unsettled)
        path: Matcher | None = match.path or Prefix("/")
        if rule.regex is not None and targets:
            rewrite = settled(rule.regex, match.path)
            if rewrite is None:
                unsettled.append(Unsettled("rewrite.uriRegexRewrite", rule.regex.origin))
            else:
                path, settings = rewrite.taken, replace(settings, rewrite_path=rewrite.path)
        condition = conjunction((asked, *(Opaque(f"{place} {one.field}", one.origin) for one in unsettled)))
        yield Branch(
            id=place,
            host=None,
            methods=(),
            path=path,
            when=condition,
            condition=condition,
            is_otherwise=isinstance(condition, Always),
            targets=targets,
            redirect=rule.redirect,
            settings=settings if targets else Settings(headers=settings.headers, cors=settings.cors),
            origin=match.origin,
            answer=answer,
        )

    def _settings(self, rule: RouteRule, sender: Sender, dialled: Dialled, unsettled: list[Unsettled]) -> Settings:
        settings = rule.settings
        edits = {(one.edits, one.rewrite_host) for one in rule.sendings}
        if len(edits) > 1:
            unsettled.append(Unsettled("route.headers", rule.origin))
        elif edits:
            own, host = edits.pop()
            settings = replace(settings, headers=(*settings.headers, *own), rewrite_host=settings.rewrite_host or host)
        return replace(settings, mirror=self._mirror(rule, sender, dialled, unsettled))

    def _mirror(self, rule: RouteRule, sender: Sender, dialled: Dialled, unsettled: list[Unsettled]) -> Mirror | None:
        """The one mirror; several, or one to several workloads, are not modelled."""
        found: list[Mirror] = []
        for copy in rule.copies:
            arrival = self._destinations.arrival(copy.sending, sender, dialled, WHOLE)
            if arrival.status is not None:
                continue
            if len(arrival.targets) > 1:
                unsettled.append(Unsettled("mirror to several workloads", copy.origin))
            found.append(Mirror(arrival.targets[0], copy.percent, copy.origin))
        if len(found) > 1:
            unsettled.append(Unsettled("mirrors", found[1].origin))
        return found[0] if found else None


def _place(rule: RouteRule, number: int) -> str:
    return rule.place if len(rule.matches) == 1 else f"{rule.place[:-1]}.{number}]"


def _in_force(match: Match, table: RouteTable, sender: Sender, port: int, gateways: frozenset[str]) -> Predicate | None:
    """What a match asks of requests at a proxy, None where it is not for that proxy at all."""
    if match.port not in {None, port} or not gateways & set(table.gateways):
        return None
    if match.gateways is not None:
        return match.predicate if gateways & set(match.gateways) else None
    if match.sender_namespace not in {None, sender.namespace}:
        return None
    has_labels = sender.has_labels(match.sender_labels) if match.sender_labels else True
    if has_labels is None:
        return conjunction((Opaque("match.sourceLabels of a sender that no file shows", match.origin), match.predicate))
    return match.predicate if has_labels else None


def as_called(retry: Retry | None, origin: Origin, name: str = "") -> Branch:
    """A branch that takes everything and sends it on to what was called."""
    return Branch(
        id=name,
        host=None,
        methods=(),
        path=None,
        when=Always(),
        condition=Always(),
        is_otherwise=True,
        targets=(Target(AS_CALLED, None, None, WHOLE, origin),),
        redirect=None,
        settings=Settings(retry=retry),
        origin=origin,
        is_implied=True,
    )


def under(condition: Predicate, branches: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """The branches for what meets a further condition."""
    if isinstance(condition, Always):
        return branches
    found: list[Branch] = []
    for one in branches:
        both = conjunction((condition, one.condition))
        found.append(replace(one, when=both, condition=both, is_otherwise=False))
    return tuple(found)


def placed(branches: tuple[Branch, ...], node: NodeName, port: int, layer: str) -> tuple[Branch, ...]:
    """The branches as those of a route to a port of a node: each with a name that no other has."""
    found: list[Branch] = []
    taken: set[str] = set()
    for one in branches:
        name = base = f"{one.id}@{node}:{port}/{layer}"
        number = 2
        while name in taken:
            name = f"{base}/{number}"
            number += 1
        taken.add(name)
        targets = tuple(replace(two, node=node, port=None) if two.node == AS_CALLED else two for two in one.targets)
        found.append(replace(one, id=name, targets=targets))
    return tuple(found)
