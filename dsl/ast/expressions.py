"""Conditions: two-valued and total; which test suits which attribute is for the resolver to say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.operations import PathPattern
from meshproof.dsl.ast.sets import Braces, Named, NamespaceSet
from meshproof.dsl.ast.values import Name, Regex, Scalar, StringValue


class Field(StrEnum):
    """The attributes that are one word; the value is how they are written."""

    SOURCE_IP = "source.ip"
    CLIENT_IP = "client.ip"
    METHOD = "method"
    PATH = "path"
    HOST = "host"
    PORT = "port"
    SNI = "sni"
    TOKEN_ISSUER = "token.issuer"  # noqa: S105 - a word of the language
    TOKEN_SUBJECT = "token.subject"  # noqa: S105 - a word of the language
    TOKEN_AUDIENCE = "token.audience"  # noqa: S105 - a word of the language
    TOKEN_PRESENTER = "token.presenter"  # noqa: S105 - a word of the language


@dataclass(frozen=True, slots=True)
class FieldAttribute(Node):
    """An attribute that is one word: `path`, `client.ip`, `token.subject`."""

    field: Field


@dataclass(frozen=True, slots=True)
class HeaderAttribute(Node):
    """`header["n"]`; `name` is as written, headers compare without case."""

    name: str


@dataclass(frozen=True, slots=True)
class QueryAttribute(Node):
    """`query["n"]`."""

    name: str


@dataclass(frozen=True, slots=True)
class ClaimAttribute(Node):
    """`claim["a"]["b"]`: the names on the way to it, one at least."""

    path: tuple[str, ...]


Attribute: TypeAlias = FieldAttribute | HeaderAttribute | QueryAttribute | ClaimAttribute


@dataclass(frozen=True, slots=True)
class SourceIn(Node):
    """`source in SET`."""

    callers: Named | NamespaceSet | Braces


@dataclass(frozen=True, slots=True)
class Equals(Node):
    """`A == V`, or `A != V` if negated (which is `not A == V`)."""

    attribute: Attribute
    value: Scalar
    is_negated: bool = False


@dataclass(frozen=True, slots=True)
class OneOf(Node):
    """`A in ["a", "b"]`; never empty."""

    attribute: Attribute
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class InNetwork(Node):
    """`A in "10.0.0.0/8"`: the range as written, not yet checked."""

    attribute: Attribute
    network: StringValue


@dataclass(frozen=True, slots=True)
class PathIn(Node):
    """`path in /api/**`. The parser guarantees that the attribute was `path`."""

    pattern: PathPattern


@dataclass(frozen=True, slots=True)
class StartsWith(Node):
    """`A startswith "x"`."""

    attribute: Attribute
    prefix: StringValue


@dataclass(frozen=True, slots=True)
class EndsWith(Node):
    """`A endswith "x"`."""

    attribute: Attribute
    suffix: StringValue


@dataclass(frozen=True, slots=True)
class Matches(Node):
    """`A matches re"…"`: the whole value."""

    attribute: Attribute
    regex: Regex


@dataclass(frozen=True, slots=True)
class Has(Node):
    """`has A`: there is at least one value."""

    attribute: Attribute


@dataclass(frozen=True, slots=True)
class HasToken(Node):
    """`has token`: a valid one."""


@dataclass(frozen=True, slots=True)
class TokenFrom(Node):
    """`token from ISSUER`: a valid one of that issuer."""

    issuer: Name


@dataclass(frozen=True, slots=True)
class Not(Node):
    """`not` and the one test or parenthesis after it; the operand is never a `Not`."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class AllOf(Node):
    """`E and E …`, two operands at least; a nested `AllOf` or `AnyOf` stood in parentheses."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf(Node):
    """`E or E …`, two operands at least; a nested `AllOf` or `AnyOf` stood in parentheses."""

    operands: tuple[Expression, ...]


AttributeTest: TypeAlias = (
    SourceIn | Equals | OneOf | InNetwork | PathIn | StartsWith | EndsWith | Matches | Has | HasToken | TokenFrom
)
Expression: TypeAlias = AttributeTest | Not | AllOf | AnyOf
