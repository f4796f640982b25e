"""What is wrong with rules and routes, by trying every request: `design` anomalies R1 to R9 as sets."""

from __future__ import annotations

from collections.abc import Iterable

from tests.strategies.brute import Judged, World

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Attribute
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics.authorize import is_open_by_default, rule_truth, speaking_rules
from meshproof.compiler.semantics.wellformed import layer_of

Matches = frozenset[int]


class RuleSets:
    """What each rule matches, as numbers of a world's requests; with `is_admitted` of those that pass transport."""

    def __init__(self, world: World, *, is_admitted: bool) -> None:
        self.world = world
        self.requests: list[Judged] = [
            one for judged in world.judged.values() for one in judged if one.is_admitted or not is_admitted
        ]
        self.groups: dict[Attribute, dict[tuple[object, Request], list[int]]] = {}
        self.rules = {rule.id: rule for rule in world.mesh.rules if rule.is_in_force(world.day)}
        found: dict[RuleId, set[int]] = {name: set() for name in self.rules}
        for number, one in enumerate(self.requests):
            for rule in speaking_rules(world.mesh, one.request, one.facts, world.day):
                if rule_truth(rule, one.node, one.facts, {}):
                    found[rule.id].add(number)
        self.matches: dict[RuleId, Matches] = {name: frozenset(numbers) for name, numbers in found.items()}
        opened = {
            number
            for number, one in enumerate(self.requests)
            if is_open_by_default(world.mesh, one.node, layer_of(one.request))
        }
        self.allowed: Matches = self.union(name for name, rule in self.rules.items() if rule.effect is Effect.ALLOW)
        self.allowed |= opened

    def union(self, names: Iterable[RuleId]) -> Matches:
        return frozenset().union(*(self.matches[name] for name in names))

    def denies(self, but: RuleId) -> Matches:
        return self.union(name for name, rule in self.rules.items() if rule.effect is Effect.DENY and name != but)

    def peers(self, rule: AuthzRule) -> list[AuthzRule]:
        return [
            other
            for other in self.rules.values()
            if other.id != rule.id and other.effect is rule.effect and other.authorizer == rule.authorizer
        ]

    def others(self, rule: AuthzRule) -> list[RuleId]:
        """The rules of its effect but for copies of it that are written behind it."""
        return [
            other.id
            for other in self.peers(rule)
            if not (self.matches[other.id] == self.matches[rule.id] and written(other) > written(rule))
        ]

    def kind(self, rule: AuthzRule) -> str | None:
        """R3 to R9, the first that applies."""
        own, others = self.matches[rule.id], self.others(rule)
        if any(self.matches[o.id] == own and written(o) < written(rule) for o in self.peers(rule)):
            return "duplicate"
        if rule.effect is Effect.ALLOW and own <= self.denies(rule.id):
            return "overridden"
        if any(own <= self.matches[other] for other in others):
            return "shadowed"
        if own <= self.union(others):
            return "jointly-shadowed"
        if rule.effect is Effect.ALLOW:
            return "mixed-cover" if own <= self.union(others) | self.denies(rule.id) else None
        if not own & self.allowed:
            return "inert"
        refusing = self.union(others) | (self.denies(rule.id) if rule.effect is Effect.ASK else frozenset())
        return "covered" if own & self.allowed <= refusing else None


def written(rule: AuthzRule) -> tuple[str, int, str]:
    return rule.origin.span.file, rule.origin.span.start, rule.id


def anomaly_of(stable: RuleSets, today: RuleSets, rule: AuthzRule) -> tuple[str, bool] | None:
    """The kind, and whether it holds whatever the transport is."""
    world = stable.world
    ports = [key for key in world.judged if _speaks(rule, key)]
    if not stable.matches[rule.id]:
        is_disabled = any(world.mode(key) is MtlsMode.DISABLED for key in ports)
        return ("irrelevant", False) if is_disabled else ("impossible", True)
    if not today.matches[rule.id]:
        return "irrelevant", False
    kind = stable.kind(rule)
    if kind is not None:
        return kind, True
    kind = today.kind(rule)
    return None if kind is None else (kind, False)


def _speaks(rule: AuthzRule, key: object) -> bool:
    return any(
        place.node == key.node and (place.ports is None or key.port in place.ports)  # type: ignore[attr-defined]
        for place in rule.destinations
    )
