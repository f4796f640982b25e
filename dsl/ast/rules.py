"""Who may call what, and how a connection must be protected."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.node import Flag, Node
from meshproof.dsl.ast.operations import Operation
from meshproof.dsl.ast.reasons import NO_REASONS, MtlsMode, Reasons
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.values import Name


class Effect(StrEnum):
    """What a rule does with a request that it matches."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Rule(Node):
    """`[audit] allow|deny|ask [NAME:] SOURCES -> DESTINATIONS { OPERATIONS CLAUSES }`.

    No operation means every request. All of `when` hold and none of `unless`.
    """

    effect: Effect
    name: Name | None
    sources: SetExpression
    destinations: SetExpression
    operations: tuple[Operation, ...] = ()
    when: tuple[Expression, ...] = ()
    unless: tuple[Expression, ...] = ()
    reasons: Reasons = NO_REASONS
    via: Name | None = None
    tags: tuple[Name, ...] = ()
    env: tuple[Name, ...] = ()
    audit: Flag | None = None


@dataclass(frozen=True, slots=True)
class MtlsStatement(Node):
    """`mtls MODE for D { because … until … }`."""

    mode: MtlsMode
    destinations: SetExpression
    reasons: Reasons = NO_REASONS
    env: tuple[Name, ...] = ()
