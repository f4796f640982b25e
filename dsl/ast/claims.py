"""What a policy claims of itself; the meaning of each form is in the language's reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from meshproof.dsl.ast.expressions import Expression
from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.operations import Operation
from meshproof.dsl.ast.reasons import Reasons
from meshproof.dsl.ast.sets import PrimarySet, SetExpression
from meshproof.dsl.ast.tests import Given
from meshproof.dsl.ast.values import Name, Number, Text


@dataclass(frozen=True, slots=True)
class OnlyReaches(Node):
    """`only S reaches D [OPS] [when E]`."""

    sources: SetExpression
    destinations: SetExpression
    operations: tuple[Operation, ...] = ()
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class NoRequest(Node):
    """`no request from S to D [OPS] [when E]`."""

    sources: SetExpression
    destinations: SetExpression
    operations: tuple[Operation, ...] = ()
    when: Expression | None = None


@dataclass(frozen=True, slots=True)
class EveryRequestIs(Node):
    """`every request [from S] to D is OPS`, one operation at least."""

    sources: SetExpression | None
    destinations: SetExpression
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class EveryRequestIsMtls(Node):
    """`every request [from S] to D is mtls`."""

    sources: SetExpression | None
    destinations: SetExpression


@dataclass(frozen=True, slots=True)
class EveryRequestSatisfies(Node):
    """`every request [from S] to D [OPS] satisfies E`."""

    sources: SetExpression | None
    destinations: SetExpression
    operations: tuple[Operation, ...]
    condition: Expression


@dataclass(frozen=True, slots=True)
class CanReach(Node):
    """`S can reach D [OPS]`."""

    sources: SetExpression
    destinations: SetExpression
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class CanCall(Node):
    """`S can call D OP [with GIVEN, …]`."""

    sources: SetExpression
    destinations: SetExpression
    operation: Operation
    givens: tuple[Given, ...] = ()


@dataclass(frozen=True, slots=True)
class NoPath(Node):
    """`no path from S to D [bypassing X] [within N hops]`."""

    sources: SetExpression
    destinations: SetExpression
    bypassing: SetExpression | None = None
    within: Number | None = None


@dataclass(frozen=True, slots=True)
class IsolatedFrom(Node):
    """`S is isolated from D`."""

    sources: SetExpression
    destinations: SetExpression


@dataclass(frozen=True, slots=True)
class NoMirror(Node):
    """`no mirror from D leaves Z`."""

    destinations: SetExpression
    zone: SetExpression


@dataclass(frozen=True, slots=True)
class AtMostAttempts(Node):
    """`at most N attempts from S`."""

    limit: Number
    sources: SetExpression


Claim: TypeAlias = (
    OnlyReaches
    | NoRequest
    | EveryRequestIs
    | EveryRequestIsMtls
    | EveryRequestSatisfies
    | CanReach
    | CanCall
    | NoPath
    | IsolatedFrom
    | NoMirror
    | AtMostAttempts
)


@dataclass(frozen=True, slots=True)
class AssumeUnreachable(Node):
    """`assume unreachable SET because … owner … until …`: for the claims of its block."""

    callers: PrimarySet
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Control(Node):
    """`FRAMEWORK "control"`, as in `pci-dss "1.4.2"`."""

    framework: Name
    control: Text


@dataclass(frozen=True, slots=True)
class Prove(Node):
    """`prove "title" [for FRAMEWORK "control", …] { … }`."""

    title: Text
    controls: tuple[Control, ...] = ()
    claims: tuple[Claim, ...] = ()
    assumptions: tuple[AssumeUnreachable, ...] = ()
    env: tuple[Name, ...] = ()
