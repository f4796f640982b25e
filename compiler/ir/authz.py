"""Authorization rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from meshproof.compiler.ir.entities import Destination, Layer, SourceSet
from meshproof.compiler.ir.matchers import Exact, Matcher
from meshproof.compiler.ir.names import AuthorizerName, Origin, RuleId
from meshproof.compiler.ir.predicate import (
    Method,
    Path,
    Predicate,
    Test,
    conjunction,
    disjunction,
)


class Effect(StrEnum):
    """What a rule does with what it matches."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Operation:
    """A method and a path of a rule; no methods is any method, no path any path."""

    methods: tuple[str, ...]
    path: Matcher | None
    origin: Origin

    @property
    def condition(self) -> Predicate:
        """The operation as a predicate."""
        methods = disjunction(tuple(Test(Method(), Exact(method)) for method in self.methods))
        parts = ((methods,) if self.methods else ()) + ((Test(Path(), self.path),) if self.path is not None else ())
        return conjunction(parts)


@dataclass(frozen=True, slots=True)
class AuthzRule:
    """One rule. It matches what comes from `sources` to one of `destinations` with some operation and `when`.

    `destinations` name ports that the rule can speak of: a rule that reads HTTP names no TCP port. `layer` binds a
    lifted rule to one kind of filter chain (None: both). `is_enforced` is false for `audit`. `is_speaking_http` says
    that it has operations or reads an attribute that only HTTP has.
    """

    id: RuleId
    effect: Effect
    sources: SourceSet
    destinations: tuple[Destination, ...]
    operations: tuple[Operation, ...]
    when: Predicate
    origin: Origin
    authorizer: AuthorizerName | None = None
    is_enforced: bool = True
    because: str | None = None
    owner: str | None = None
    until: date | None = None
    tags: tuple[str, ...] = ()
    layer: Layer | None = None
    skipped: tuple[Destination, ...] = ()
    """Ports in the written set that the rule cannot speak of (TCP, for a rule that reads HTTP)."""

    @property
    def content(self) -> Predicate:
        """Operations and conditions, without source and destination."""
        operations = disjunction(tuple(operation.condition for operation in self.operations))
        return conjunction(((operations,) if self.operations else ()) + (self.when,))

    def is_in_force(self, day: date) -> bool:
        """Whether the rule decides on `day`: an allow or an audit ends with `until`, a deny or an ask stays."""
        if not self.is_enforced:
            return False
        return self.effect is not Effect.ALLOW or self.until is None or day <= self.until
