"""Conditions: what is written after `when`, `unless` and `satisfies`, as predicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.matchers import Exact, Matcher, Present
from meshproof.compiler.ir.predicate import (
    Never,
    Predicate,
    Test,
    TokenIssuer,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.ir.predicate import Path as PathOf
from meshproof.compiler.resolve.attributes import ON_TCP, ValueKind, resolve_attribute, written_attribute
from meshproof.compiler.resolve.callers import takes
from meshproof.compiler.resolve.comparisons import ending_with, equal_to, matching, network, starting_with
from meshproof.compiler.resolve.operations import path_matcher
from meshproof.compiler.resolve.sets import callers
from meshproof.dsl.ast.expressions import (
    AllOf,
    AnyOf,
    EndsWith,
    Equals,
    Field,
    FieldAttribute,
    Has,
    HasToken,
    InNetwork,
    Matches,
    Not,
    OneOf,
    PathIn,
    SourceIn,
    StartsWith,
    TokenFrom,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.expressions import Attribute, AttributeTest, Expression
    from meshproof.dsl.ast.values import Scalar

_WRONG: Predicate = Never()
"""What a test that is a finding reads as; a policy with an error is not handed on."""


def condition(written: Expression, ctx: Context) -> Predicate:
    """The predicate; whatever cannot be read is among the findings."""
    match written:
        case Not(operand):
            return negation(condition(operand, ctx))
        case AllOf(operands):
            return conjunction(tuple(condition(operand, ctx) for operand in operands))
        case AnyOf(operands):
            return disjunction(tuple(condition(operand, ctx) for operand in operands))
        case _:
            return _test(written, ctx)


def _test(written: AttributeTest, ctx: Context) -> Predicate:
    match written:
        case SourceIn():
            return _source_in(written, ctx)
        case Equals(attribute, value, is_negated):
            found = _one_of(attribute, (value,), ctx)
            return negation(found) if is_negated else found
        case OneOf(attribute, values):
            return _one_of(attribute, values, ctx)
        case InNetwork():
            return _in_network(written, ctx)
        case PathIn(pattern):
            return Test(PathOf(), path_matcher(pattern))
        case StartsWith(attribute, prefix):
            return _compared(attribute, ctx, lambda kind: starting_with(prefix, kind, ctx))
        case EndsWith(attribute, suffix):
            return _compared(attribute, ctx, lambda kind: ending_with(suffix, kind, ctx))
        case Matches(attribute, regex):
            return _compared(attribute, ctx, lambda kind: matching(regex, kind, ctx))
        case Has(attribute):
            return _compared(attribute, ctx, lambda _: Present())
        case HasToken():
            return Test(TokenIssuer(), Present())
        case TokenFrom(name):
            issuer = ctx.issuer(name)
            return _WRONG if issuer is None else Test(TokenIssuer(), Exact(issuer.url))
        case _ as never:
            assert_never(never)


def _compared(attribute: Attribute, ctx: Context, matcher_for: Callable[[ValueKind], Matcher | None]) -> Predicate:
    found = resolve_attribute(attribute, ctx.findings)
    matcher = None if found is None else matcher_for(found[1])
    return _WRONG if found is None or matcher is None else Test(found[0], matcher)


def _one_of(attribute: Attribute, values: Iterable[Scalar], ctx: Context) -> Predicate:
    found = resolve_attribute(attribute, ctx.findings)
    if found is None:
        return _WRONG
    matchers = (equal_to(value, found[1], ctx) for value in values)
    return disjunction(tuple(dict.fromkeys(Test(found[0], matcher) for matcher in matchers if matcher is not None)))


def _in_network(written: InNetwork, ctx: Context) -> Predicate:
    found = resolve_attribute(written.attribute, ctx.findings)
    value = ctx.values.string(written.network)
    if found is None or value is None:
        return _WRONG
    if found[1] is not ValueKind.ADDRESS:
        ctx.findings.add(
            "MP220",
            f"`{written_attribute(written.attribute)}` is {found[1].value}, and only an address is in a network",
            written.span,
            help='a list of values is written in brackets: `in ["a", "b"]`',
        )
        return _WRONG
    matcher = network(value, written.network.span, ctx.findings)
    return _WRONG if matcher is None else Test(found[0], matcher)


def _source_in(written: SourceIn, ctx: Context) -> Predicate:
    found = callers(written.callers, ctx)
    if found is None:
        return _WRONG
    if found.has_internet and not takes(found.matches, None):
        ctx.findings.add(
            "MP219",
            "`internet` is where a request comes from, not who sends it",
            written.span,
            help="in a condition write `plaintext`, every caller without identity",
        )
    return found.matches


def attributes_in(written: Expression) -> Iterator[Attribute | HasToken | TokenFrom]:
    """Everything of a request but its source that the condition reads, as written."""
    match written:
        case Not(operand):
            yield from attributes_in(operand)
        case AllOf(operands) | AnyOf(operands):
            for operand in operands:
                yield from attributes_in(operand)
        case SourceIn():
            return
        case HasToken() | TokenFrom():
            yield written
        case PathIn():
            yield FieldAttribute(Field.PATH, span=written.span)
        case _:
            yield written.attribute


def is_reading_http(read: Attribute | HasToken | TokenFrom) -> bool:
    """Whether that exists on HTTP alone."""
    return not (isinstance(read, FieldAttribute) and read.field in ON_TCP)
