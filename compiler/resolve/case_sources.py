"""Who sends the request of a test line: each member of the source."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.matchers import Prefix
from meshproof.compiler.ir.predicate import And, Not, Or, Predicate, Test
from meshproof.compiler.resolve.callers import taker
from meshproof.compiler.resolve.sets import source_set
from meshproof.dsl.ast.sets import Identity, Internet, Named, Plaintext

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.ir.entities import Node
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.tests import CaseSource

_UNDECLARED = "undeclared"
"""The account, or the last part, of an identity that stands for those that no one declared."""


def source_identities(written: CaseSource, node: Node | None, ctx: Context) -> tuple[str | None, ...]:
    """The identities, None for a caller without; empty if there is none, or the source cannot be read."""
    sources = source_set(written, ctx)
    if sources is None:
        return ()
    match written:
        case Plaintext():
            return (None,)
        case Internet():
            if node is not None and not isinstance(node, Gateway):
                message = f"`internet` comes to gateways alone, and `{node.name}` is none"
                ctx.findings.add("MP219", message, written.span, help="a caller without identity is `plaintext`")
            return (None,)
        case Named() | Identity():
            pass
        case _ as never:
            assert_never(never)
    members = (ctx.directory.caller(name) for name in sources.members)
    known = {member.identity.uri for member in members if member is not None}
    undeclared = {f"{prefix}{_rest(prefix)}" for prefix in _prefixes(sources.matches)}
    exact = set(_exact(written, ctx))
    takes = taker(sources.matches)
    found: list[str | None] = [*sorted(filter(takes, known | undeclared | exact))]
    if takes(None) or (sources.has_internet and isinstance(node, Gateway)):
        found.append(None)
    if not found:
        ctx.findings.add("MP233", f"`{sources.text}` has no member that could call", written.span)
    return tuple(found)


def _rest(prefix: str) -> str:
    """What makes an identity of a prefix: an account, if the prefix ends in a namespace."""
    is_namespace = prefix.split("/")[3:4] == ["ns"] and prefix.count("/") == 5  # noqa: PLR2004  spiffe://d/ns/n/
    return f"sa/{_UNDECLARED}" if is_namespace else _UNDECLARED


def _prefixes(predicate: Predicate) -> Iterator[str]:
    match predicate:
        case Test(_, Prefix(value)):
            yield value
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _prefixes(operand)
        case Not(operand):
            yield from _prefixes(operand)
        case _:
            return


def _exact(written: CaseSource, ctx: Context) -> tuple[str, ...]:
    """The one identity that is written out."""
    uri = ctx.values.string(written.uri) if isinstance(written, Identity) else None
    identity = None if uri is None else ctx.domains.identity(uri)
    return () if identity is None else (identity.uri,)
