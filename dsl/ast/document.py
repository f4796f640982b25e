"""One file as a tree, and the statements that tie files together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from meshproof.dsl.ast.claims import Prove
from meshproof.dsl.ast.declarations import Declaration
from meshproof.dsl.ast.node import Node
from meshproof.dsl.ast.reasons import Reasons
from meshproof.dsl.ast.routes import Route
from meshproof.dsl.ast.rules import MtlsStatement, Rule
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.tests import Suite
from meshproof.dsl.ast.values import Name, Text


@dataclass(frozen=True, slots=True)
class Binding(Node):
    """`cde = SET`: what a zone of the used file is here."""

    name: Name
    members: SetExpression


@dataclass(frozen=True, slots=True)
class UseFile(Node):
    """`use "PATH" [{ zone = SET, … }]`; the path is relative to this file."""

    path: Text
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class UsePack(Node):
    """`use pack "NAME" [{ zone = SET, … }]`."""

    pack: Text
    bindings: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class WaiverCode(Node):
    """`MP305`."""

    code: str


@dataclass(frozen=True, slots=True)
class Waive(Node):
    """`waive MP305 on X because … owner … until …`.

    `target` is what the finding is about: the name of a rule or service or the title of a claim block (a `Named`), or
    the destinations of a route or mTLS statement as they stand there (`catalog:grpc`); the code tells which is meant.
    """

    code: WaiverCode
    target: SetExpression
    reasons: Reasons


@dataclass(frozen=True, slots=True)
class Comment(Node):
    """A comment without its `#` and the blanks at its end."""

    text: str


Statement: TypeAlias = Declaration | Rule | MtlsStatement | Route | Prove | Suite | UseFile | UsePack | Waive


@dataclass(frozen=True, slots=True)
class Document(Node):
    """One file: its statements in the order of the text.

    `comments` are in order too and belong to no node: the formatter puts them back by their places. They are not
    compared.
    """

    statements: tuple[Statement, ...] = ()
    comments: tuple[Comment, ...] = field(default=(), compare=False)
