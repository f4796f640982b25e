"""Sets of callers and destinations."""

from __future__ import annotations

from typing import TypeVar

from meshproof.dsl.ast.sets import (
    SOURCE_ONLY,
    AllServices,
    Anyone,
    AtPort,
    Authenticated,
    Braces,
    Except,
    Identity,
    Internet,
    Intersection,
    Named,
    NamespaceSet,
    Plaintext,
    PrimarySet,
    SetExpression,
    SetTerm,
    Tagged,
    Union,
)
from meshproof.dsl.ast.values import Name, PortRef, StringValue
from meshproof.dsl.tree_to_ast.words import WordsBuilder
from meshproof.dsl.visitor import walk

S = TypeVar("S", bound=SetExpression)


class SetsBuilder(WordsBuilder):
    """The productions of sets."""

    def named(self, start: int, end: int, name: Name) -> Named:
        return Named(name, span=self.span(start, end))

    def namespace_set(self, start: int, end: int, name: Name, domain: StringValue | None) -> NamespaceSet:
        return NamespaceSet(name, domain, span=self.span(start, end))

    def tagged(self, start: int, end: int, tag: Name) -> Tagged:
        return Tagged(tag, span=self.span(start, end))

    def identity(self, start: int, end: int, uri: StringValue) -> Identity:
        return Identity(uri, span=self.span(start, end))

    def all_services(self, start: int, end: int) -> AllServices:
        return AllServices(span=self.span(start, end))

    def authenticated(self, start: int, end: int) -> Authenticated:
        return Authenticated(span=self.span(start, end))

    def plaintext(self, start: int, end: int) -> Plaintext:
        return Plaintext(span=self.span(start, end))

    def anyone(self, start: int, end: int) -> Anyone:
        return Anyone(span=self.span(start, end))

    def internet(self, start: int, end: int) -> Internet:
        return Internet(span=self.span(start, end))

    def braces(self, start: int, end: int, *items: SetExpression) -> Braces:
        return Braces(items, span=self.span(start, end))

    def at_port(self, start: int, end: int, base: PrimarySet, port: PortRef) -> AtPort:
        return AtPort(base, port, span=self.span(start, end))

    def union(self, start: int, end: int, *operands: SetTerm) -> Union:
        return Union(operands, span=self.span(start, end))

    def intersection(self, start: int, end: int, *operands: SetTerm) -> Intersection:
        return Intersection(operands, span=self.span(start, end))

    def except_(self, start: int, end: int, base: SetTerm, removed: SetTerm) -> Except:
        return Except(base, removed, span=self.span(start, end))

    def as_destinations(self, destinations: S) -> S:
        """The set itself; a part of it that is never a destination is noted."""
        base = destinations.base if isinstance(destinations, AtPort) else destinations
        if not isinstance(base, Named):
            for part in walk(destinations):
                if isinstance(part, SOURCE_ONLY):
                    written = self.text[part.span.start : part.span.end]
                    self.find(
                        "MP122",
                        f"`{written}` is a set of callers, never a destination",
                        part.span,
                        "only a source can be this",
                        advice="name services, a zone, `namespace N`, `tagged T` or `all`",
                    )
        return destinations
