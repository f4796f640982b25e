"""The one layout of a policy: the tree stays the same, comments and groups of lines stay where they are.

Formatting what is formatted changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import assert_never

from meshproof.dsl.ast.claims import Prove
from meshproof.dsl.ast.declarations import (
    Authorizer,
    Declaration,
    External,
    Gateway,
    Issuer,
    Mesh,
    Namespace,
    Service,
    Value,
    Zone,
    ZoneParameter,
)
from meshproof.dsl.ast.document import Binding, Document, Statement, UseFile, UsePack, Waive
from meshproof.dsl.ast.routes import Route
from meshproof.dsl.ast.rules import MtlsStatement, Rule
from meshproof.dsl.ast.sets import SetExpression
from meshproof.dsl.ast.tests import Suite
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.format.claims import ClaimItems
from meshproof.dsl.format.declarations import DeclarationItems, reasons
from meshproof.dsl.format.item import Item
from meshproof.dsl.format.layout import Layout
from meshproof.dsl.format.rules import RuleItems
from meshproof.dsl.format.words import Words, name, place_of, regions_of, scalar
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile


@dataclass(frozen=True, slots=True)
class Formatted:
    """A formatted text; `None` if the source has errors, which then say why."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


def format_source(source: SourceFile) -> Formatted:
    """Lay out a file. A file with a syntax error is left alone."""
    parsed = parse(source)
    if not parsed.is_sound:
        return Formatted(None, parsed.diagnostics)
    return Formatted(format_document(parsed.document, source), parsed.diagnostics)


def format_document(document: Document, source: SourceFile | None = None) -> str:
    """A tree as text. `source` is what it was read from; without one there are no comments and no lines to keep."""
    layout = Layout(None if source is None else source.text, document.comments)
    printer = _Printer(layout)
    items = [printer.statement(statement) for statement in document.statements]
    return layout.statements(items, len(source.text) if source else 0)


def format_set(node: SetExpression) -> str:
    """A set on one line, as it is written in a policy."""
    return Words(Layout(None, ()).listing).set(node)


class _Printer:
    """Makes items of statements."""

    def __init__(self, layout: Layout) -> None:
        self._listing = layout.listing
        self._words = Words(layout.listing)
        self._declarations = DeclarationItems(self._words)
        self._rules = RuleItems(self._words)
        self._claims = ClaimItems(self._words)

    def statement(self, node: Statement) -> Item:
        """Any statement."""
        match node:
            case Rule():
                return self._rules.rule(node)
            case MtlsStatement():
                return self._rules.mtls(node)
            case Route():
                return self._rules.route(node)
            case Prove():
                return self._claims.prove(node)
            case Suite():
                return self._claims.suite(node)
            case UseFile(path, _):
                return self._use(node, f"use {scalar(path)}", path.span.end)
            case UsePack(pack, _):
                return self._use(node, f"use pack {scalar(pack)}", pack.span.end)
            case Waive():
                return self._waive(node)
            case _:
                return self._declaration(node)

    def _declaration(self, node: Declaration) -> Item:
        items = self._declarations
        match node:
            case Mesh():
                return items.mesh(node)
            case Namespace():
                return items.namespace(node)
            case Service():
                return items.service(node)
            case Gateway():
                return items.gateway(node)
            case External():
                return items.external(node)
            case Issuer():
                return items.issuer(node)
            case Authorizer():
                return items.authorizer(node)
            case Zone():
                return items.zone(node)
            case ZoneParameter():
                return items.zone_parameter(node)
            case Value():
                return items.value(node)
            case _:
                assert_never(node)

    def _use(self, node: UseFile | UsePack, head: str, head_end: int) -> Item:
        region = (head_end, node.span.end)
        bindings = [
            Item(place_of(binding), partial(self._binding, binding), regions=regions_of(binding.members))
            for binding in node.bindings
        ]
        return Item(
            place_of(node),
            lambda: (f"{head} {self._listing('{}', bindings, region)}" if bindings else head,),
            kind="use",
            regions=(region,) if bindings else (),
        )

    def _binding(self, node: Binding) -> tuple[str, ...]:
        return (f"{name(node.name)} = {self._words.set(node.members)}",)

    def _waive(self, node: Waive) -> Item:
        given = [" ".join(item.cells()) for item in reasons(node.reasons)]
        return Item(
            place_of(node),
            lambda: (f"waive {node.code.code} on {self._words.set(node.target)}", *given),
            kind="waive",
            regions=regions_of(node.target),
        )
