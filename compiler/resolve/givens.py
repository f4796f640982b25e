"""`with …`: what a claim or test gives to a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.matchers import Cidr, Exact
from meshproof.compiler.ir.predicate import Always, Attribute, Predicate
from meshproof.compiler.resolve.attributes import resolve_attribute, written_attribute
from meshproof.compiler.resolve.comparisons import equal_to
from meshproof.compiler.resolve.conditions import condition
from meshproof.dsl.ast import tests as ast
from meshproof.dsl.ast.expressions import Equals, TokenFrom

if TYPE_CHECKING:
    from meshproof.compiler.resolve.context import Context


def given_condition(written: ast.Given, ctx: Context) -> Predicate:
    """What a claim gives, as a condition; a claim gives neither answers nor days nor tokens that are not valid."""
    match written:
        case ast.GivenAttribute(attribute, value):
            return condition(Equals(attribute, value, span=written.span), ctx)
        case ast.GivenToken(issuer):
            return condition(TokenFrom(issuer, span=written.span), ctx)
        case ast.GivenAnswer() | ast.GivenDay() | ast.GivenInvalidToken():
            reasons = {
                ast.GivenAnswer: "a claim holds if authorizers say yes, and none is answered for",
                ast.GivenDay: "a claim is judged as of the day of the run",
                ast.GivenInvalidToken: "`can call` is about requests without an invalid token",
            }
            ctx.findings.add("MP233", reasons[type(written)], written.span, help="write it in a test")
            return Always()
        case _ as never:
            assert_never(never)


def given_value(written: ast.GivenAttribute, ctx: Context) -> tuple[Attribute, str] | None:
    """The attribute and the one value that a test gives it; None, and a finding, where it cannot have that."""
    found = resolve_attribute(written.attribute, ctx.findings)
    if found is None:
        return None
    matcher = equal_to(written.value, found[1], ctx)
    match matcher:
        case Exact(value):
            return found[0], value
        case Cidr(network):
            address, _, length = network.partition("/")
            if length == ("128" if ":" in address else "32"):
                return found[0], address
            message = f"`{written_attribute(written.attribute)}` is one address, and `{network}` is many"
            ctx.findings.add("MP233", message, written.value.span)
            return None
        case _:
            return None
