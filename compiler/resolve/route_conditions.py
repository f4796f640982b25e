"""Conditions of routes: what the sender's proxy can see when it decides where a request goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.resolve.conditions import attributes_in, condition, is_reading_http
from meshproof.dsl.ast.expressions import ClaimAttribute, Field, FieldAttribute, HasToken, SourceIn, TokenFrom
from meshproof.dsl.ast.sets import NamespaceSet
from meshproof.dsl.visitor import walk

if TYPE_CHECKING:
    from meshproof.compiler.ir.predicate import Predicate
    from meshproof.compiler.resolve.context import Context
    from meshproof.compiler.resolve.routing import Routed
    from meshproof.dsl.ast.expressions import Attribute, Expression
    from meshproof.dsl.ast.node import Node

_TOKEN = frozenset((Field.TOKEN_ISSUER, Field.TOKEN_SUBJECT, Field.TOKEN_AUDIENCE, Field.TOKEN_PRESENTER))


def route_condition(written: Expression, routed: Routed, ctx: Context) -> Predicate:
    """The predicate; reading what the sender does not know is a finding."""
    for node in walk(written):
        if isinstance(node, SourceIn) and not isinstance(node.callers, NamespaceSet):
            message = "a sender knows the namespace that it is in, and no more of who it is"
            _report(message, node, ctx, "write `source in namespace N`; who may call is for rules to say")
    for read in attributes_in(written):
        if routed.is_tcp and is_reading_http(read):
            message = f"`{routed.node.name}` carries TCP here, and this speaks of HTTP"
            ctx.findings.add("MP217", message, read.span)
        elif _is_of_token(read) and not _sees_tokens(routed):
            message = "the sender has not looked at the token when it routes"
            _report(message, read, ctx, "read it in a rule, or in the route of a gateway that accepts an issuer")
        elif isinstance(read, FieldAttribute) and read.field is Field.CLIENT_IP:
            _report("`client.ip` is what a gateway tells the destination, and no sender has it", read, ctx, None)
    return condition(written, ctx)


def _report(message: str, at: Node, ctx: Context, advice: str | None) -> None:
    ctx.findings.add("MP232", message, at.span, help=advice)


def _is_of_token(read: Attribute | HasToken | TokenFrom) -> bool:
    if isinstance(read, FieldAttribute):
        return read.field in _TOKEN
    return isinstance(read, HasToken | TokenFrom | ClaimAttribute)


def _sees_tokens(routed: Routed) -> bool:
    return isinstance(routed.node, Gateway) and bool(routed.node.accepts)
