"""Rules for what is not modelled: a request may be refused for it, or let in, and nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.names import NodeName, Origin, RuleId
from meshproof.compiler.ir.predicate import (
    Always,
    Opaque,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    negation,
)
from meshproof.targets.istio.lift.objects import KubeObject

_MARK = "[unknown]"
_KNOWN = Test(SourceIdentity(), Present())
_ANYONE = SourceSet(Always(), has_internet=True, members=(), shared=(), text="anyone")


def unknown_object(source: KubeObject, nodes: tuple[NodeName, ...]) -> Iterator[AuthzRule]:
    """The rules for an object of which nobody knows what it does, at the workloads that it is for."""
    yield from unknown_rules(
        f"{source.kind}:{source.full_name}", f"{source.kind} {source.full_name}", source.origin, nodes
    )


@dataclass(frozen=True, slots=True)
class About:
    """For which requests something is unknown: those of some callers, under a condition."""

    sources: SourceSet = _ANYONE
    when: Predicate = Always()  # noqa: RUF009  a frozen value


ANONYMOUS = SourceSet(negation(_KNOWN), has_internet=True, members=(), shared=(), text="callers without identity")
IDENTIFIED = SourceSet(_KNOWN, has_internet=False, members=(), shared=(), text="callers with an identity")
_ANYTHING = About()


def unknown_rules(
    name: str,
    field: str,
    origin: Origin,
    nodes: tuple[NodeName, ...],
    ports: tuple[int, ...] | None = None,
    about: About = _ANYTHING,
) -> Iterator[AuthzRule]:
    """A deny and an allow that may hold or not, at these workloads. Every verdict that they bear on is unknown."""
    destinations = tuple(Destination(node, ports) for node in sorted(nodes))
    for effect in (Effect.DENY, Effect.ALLOW):
        yield AuthzRule(
            id=RuleId(f"{name}{_MARK}@{effect}"),
            effect=effect,
            sources=about.sources,
            destinations=destinations,
            operations=(),
            when=conjunction((about.when, Opaque(f"{field} ({effect})", origin))),
            origin=origin,
        )


def is_unknown_rule(rule: AuthzRule) -> bool:
    """Whether the rule is one of these."""
    return _MARK in rule.id
