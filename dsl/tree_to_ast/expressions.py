"""Operations and conditions."""

from __future__ import annotations

from meshproof.dsl.ast.expressions import (
    AllOf,
    AnyOf,
    Attribute,
    ClaimAttribute,
    EndsWith,
    Equals,
    Expression,
    Field,
    FieldAttribute,
    Has,
    HasToken,
    HeaderAttribute,
    InNetwork,
    Matches,
    Not,
    OneOf,
    PathIn,
    QueryAttribute,
    SourceIn,
    StartsWith,
    TokenFrom,
)
from meshproof.dsl.ast.operations import CallOperation, HttpOperation, Operation, PathPattern
from meshproof.dsl.ast.sets import Braces, Named, NamespaceSet
from meshproof.dsl.ast.values import Name, Regex, Scalar, StringValue
from meshproof.dsl.tree_to_ast.base import Setting
from meshproof.dsl.tree_to_ast.paths import read
from meshproof.dsl.tree_to_ast.sets import SetsBuilder


class ExpressionsBuilder(SetsBuilder):
    """The productions of operations, attributes and tests."""

    # ---- operations

    def path(self, start: int, end: int, written: str) -> PathPattern:
        path = read(written)
        span = self.span(start, end)
        if path.problem:
            self.find("MP113", path.problem, span, "not a pattern", advice=path.advice)
        return PathPattern(path.segments, path.has_rest, span=span)

    def http_operation(self, start: int, end: int, methods: str, path: PathPattern) -> HttpOperation:
        return HttpOperation(self.methods(start, methods), path, span=self.span(start, end))

    def any_method_operation(self, start: int, end: int, path: PathPattern) -> HttpOperation:
        return HttpOperation((), path, span=self.span(start, end))

    def call_operation(self, start: int, end: int, written: str) -> CallOperation:
        service, _, method = written.partition("/")
        return CallOperation(service, None if method == "*" else method, span=self.span(start, end))

    def operations(self, _start: int, _end: int, *operations: Operation) -> tuple[Operation, ...]:
        return operations

    def methods(self, start: int, written: str) -> tuple[str, ...]:
        """The methods of `GET|HEAD`; one that stands twice is noted."""
        methods = tuple(written.split("|"))
        if len(set(methods)) < len(methods):
            span = self.span(start, start + len(written))
            advice = f"write `{'|'.join(dict.fromkeys(methods))}`"
            self.find("MP118", "a method stands twice", span, "once is enough", advice=advice)
        return methods

    # ---- conditions

    def any_of(self, start: int, end: int, *operands: Expression) -> AnyOf:
        return AnyOf(operands, span=self.span(start, end))

    def all_of(self, start: int, end: int, *operands: Expression) -> AllOf:
        return AllOf(operands, span=self.span(start, end))

    def negation(self, start: int, end: int, operand: Expression) -> Not:
        return Not(operand, span=self.span(start, end))

    def when(self, start: int, end: int, condition: Expression) -> Setting:
        return Setting("when", condition, self.span(start, end))

    def unless(self, start: int, end: int, condition: Expression) -> Setting:
        return Setting("unless", condition, self.span(start, end))

    def source_in(self, start: int, end: int, callers: Named | NamespaceSet | Braces) -> SourceIn:
        return SourceIn(callers, span=self.span(start, end))

    def has(self, start: int, end: int, attribute: Attribute) -> Has:
        return Has(attribute, span=self.span(start, end))

    def has_token(self, start: int, end: int) -> HasToken:
        return HasToken(span=self.span(start, end))

    def token_from(self, start: int, end: int, issuer: Name) -> TokenFrom:
        return TokenFrom(issuer, span=self.span(start, end))

    def equals(self, start: int, end: int, attribute: Attribute, value: Scalar) -> Equals:
        return Equals(attribute, value, span=self.span(start, end))

    def differs(self, start: int, end: int, attribute: Attribute, value: Scalar) -> Equals:
        return Equals(attribute, value, is_negated=True, span=self.span(start, end))

    def one_of(self, start: int, end: int, attribute: Attribute, *values: Scalar) -> OneOf:
        return OneOf(attribute, values, span=self.span(start, end))

    def in_network(self, start: int, end: int, attribute: Attribute, network: StringValue) -> InNetwork:
        return InNetwork(attribute, network, span=self.span(start, end))

    def path_in(self, start: int, end: int, attribute: Attribute, pattern: PathPattern) -> PathIn:
        if not (isinstance(attribute, FieldAttribute) and attribute.field is Field.PATH):
            advice = "write `path in /x/**`; another attribute is compared with strings"
            self.find("MP123", "a pattern is of the path alone", pattern.span, "a path pattern", advice=advice)
        return PathIn(pattern, span=self.span(start, end))

    def starts_with(self, start: int, end: int, attribute: Attribute, prefix: StringValue) -> StartsWith:
        return StartsWith(attribute, prefix, span=self.span(start, end))

    def ends_with(self, start: int, end: int, attribute: Attribute, suffix: StringValue) -> EndsWith:
        return EndsWith(attribute, suffix, span=self.span(start, end))

    def matches(self, start: int, end: int, attribute: Attribute, written: str) -> Matches:
        regex = Regex(written[3:-1], span=self.span(end - len(written), end))
        return Matches(attribute, regex, span=self.span(start, end))

    # ---- attributes

    def field(self, start: int, end: int) -> FieldAttribute:
        return FieldAttribute(Field(self.text[start:end]), span=self.span(start, end))

    def header_attribute(self, start: int, end: int, quoted: str) -> HeaderAttribute:
        return HeaderAttribute(self._key(start, end, quoted), span=self.span(start, end))

    def query_attribute(self, start: int, end: int, quoted: str) -> QueryAttribute:
        return QueryAttribute(self._key(start, end, quoted), span=self.span(start, end))

    def claim_attribute(self, start: int, end: int, *quoted: str) -> ClaimAttribute:
        return ClaimAttribute(tuple(self._key(start, end, key) for key in quoted), span=self.span(start, end))

    def _key(self, start: int, end: int, quoted: str) -> str:
        return self.decoded(self.text.find(quoted, start, end), quoted)
