"""Claims, what they assume, and waivers (language reference, "Claims")."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias, assert_never

from meshproof.compiler.ir import assertions as ir
from meshproof.compiler.ir.predicate import Always, Predicate, conjunction
from meshproof.compiler.resolve.authz import check_internet
from meshproof.compiler.resolve.callers import either, exactly, taker
from meshproof.compiler.resolve.conditions import condition
from meshproof.compiler.resolve.destinations import destinations, port_sets
from meshproof.compiler.resolve.givens import given_condition
from meshproof.compiler.resolve.operations import any_operation, resolve_operation
from meshproof.compiler.resolve.reasons import because, owner, until
from meshproof.compiler.resolve.sets import MEMBERS, as_source_set, callers, source_set
from meshproof.compiler.resolve.written import written_claim, written_set
from meshproof.dsl.ast import claims as ast
from meshproof.dsl.ast.sets import SOURCE_ONLY, Named
from meshproof.dsl.diagnostic import Label

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.ir.entities import Destination, SourceSet
    from meshproof.compiler.resolve.context import Context
    from meshproof.dsl.ast.document import Waive
    from meshproof.dsl.ast.expressions import Expression
    from meshproof.dsl.ast.operations import Operation
    from meshproof.dsl.ast.sets import SetExpression

_Every: TypeAlias = ast.EveryRequestIs | ast.EveryRequestIsMtls | ast.EveryRequestSatisfies


def resolve_proofs(written: Iterable[ast.Prove], ctx: Context) -> tuple[ir.Prove, ...]:
    """The blocks by title; two with one title are a finding, because waivers and reports go by it."""
    found: dict[str, ast.Prove] = {}
    for one in written:
        first = found.setdefault(one.title.value, one)
        if first is not one:
            ctx.findings.add(
                "MP202",
                f"two claim blocks have the title `{one.title.value}`",
                one.title.span,
                labels=(Label(first.title.span, "the first one"),),
            )
    return tuple(resolve_prove(found[title], ctx) for title in sorted(found))


def resolve_prove(written: ast.Prove, ctx: Context) -> ir.Prove:
    """One block, without the claims that cannot be read."""
    claims = (resolve_claim(claim, ctx) for claim in written.claims)
    assumptions = (_assumption(one, ctx) for one in written.assumptions)
    return ir.Prove(
        title=written.title.value,
        controls=tuple(ir.Control(control.framework.text, control.control.value) for control in written.controls),
        claims=tuple(claim for claim in claims if claim is not None),
        assumptions=tuple(one for one in assumptions if one is not None),
        origin=ctx.origin(written.span),
    )


def _assumption(written: ast.AssumeUnreachable, ctx: Context) -> ir.Assumption | None:
    sources = source_set(written.callers, ctx)
    if sources is None:
        return None
    reasons = written.reasons
    return ir.Assumption(sources, because(reasons), owner(reasons), until(reasons), ctx.origin(written.span))


def resolve_claim(written: ast.Claim, ctx: Context) -> ir.Claim | None:
    """One claim; None if it cannot be read. One over an empty set is kept: a check reports it."""
    statement = _statement(written, ctx)
    return None if statement is None else ir.Claim(statement, written_claim(written), ctx.origin(written.span))


def _statement(written: ast.Claim, ctx: Context) -> ir.Statement | None:
    match written:
        case ast.OnlyReaches(sources, places, operations, when):
            return _only(sources, places, _narrowing(operations, when, ctx), ctx)
        case ast.NoRequest(sources, places, operations, when):
            return _no_request(sources, places, _narrowing(operations, when, ctx), ctx)
        case ast.EveryRequestIs() | ast.EveryRequestIsMtls() | ast.EveryRequestSatisfies():
            return _every(written, ctx)
        case ast.CanReach(sources, places, operations):
            return _can_reach(sources, places, _narrowing(operations, None, ctx), ctx)
        case ast.CanCall():
            return _can_call(written, ctx)
        case ast.NoPath():
            return _no_path(written, ctx)
        case ast.IsolatedFrom(left, right):
            return _isolated(left, right, ctx)
        case ast.NoMirror(places, zone):
            return _no_mirror(places, zone, ctx)
        case ast.AtMostAttempts(limit, sources):
            first = source_set(sources, ctx)
            return None if first is None else ir.AtMostAttempts(limit.value, widened(first, ctx))
        case _ as never:
            assert_never(never)


def _narrowing(operations: tuple[Operation, ...], when: Expression | None, ctx: Context) -> Predicate:
    parts = (any_operation(operations),) if operations else ()
    return conjunction((*parts, *((condition(when, ctx),) if when is not None else ())))


def widened(sources: SourceSet, ctx: Context) -> SourceSet:
    """The set with the identities of all its members.

    `all except b` names `a`, although its identity is taken out if `a` shares it with `b`. A claim about every
    request of a set must not be proved by leaving such a member out.
    """
    takes = taker(sources.matches)
    nodes = (ctx.directory.caller(name) for name in sources.members)
    missing = {node.identity.uri for node in nodes if node and not takes(node.identity.uri)}
    if not missing:
        return sources
    return replace(sources, matches=either((sources.matches, *map(exactly, sorted(missing)))))


def _calls(
    sources: SetExpression, places: SetExpression, ctx: Context
) -> tuple[SourceSet, tuple[Destination, ...]] | None:
    """Callers and called of a claim about single requests."""
    calling, called = source_set(sources, ctx), destinations(places, ctx)
    if calling is None or called is None:
        return None
    check_internet(calling, called, sources, ctx)
    return calling, called


def _only(sources: SetExpression, places: SetExpression, narrowing: Predicate, ctx: Context) -> ir.OnlyReaches | None:
    found = _calls(sources, places, ctx)
    return None if found is None else ir.OnlyReaches(found[0], found[1], narrowing)


def _no_request(
    sources: SetExpression, places: SetExpression, narrowing: Predicate, ctx: Context
) -> ir.NoRequest | None:
    found = _calls(sources, places, ctx)
    return None if found is None else ir.NoRequest(widened(found[0], ctx), found[1], narrowing)


def _can_reach(sources: SetExpression, places: SetExpression, narrowing: Predicate, ctx: Context) -> ir.CanReach | None:
    found = _calls(sources, places, ctx)
    return None if found is None else ir.CanReach(found[0], found[1], narrowing)


def _can_call(written: ast.CanCall, ctx: Context) -> ir.CanCall | None:
    found = _calls(written.sources, written.destinations, ctx)
    givens = conjunction(tuple(given_condition(given, ctx) for given in written.givens))
    if found is None:
        return None
    return ir.CanCall(found[0], found[1], resolve_operation(written.operation).condition, givens)


def _every(written: _Every, ctx: Context) -> ir.Statement | None:
    called = destinations(written.destinations, ctx)
    calling = None if written.sources is None else source_set(written.sources, ctx)
    required = _required(written, ctx)
    if called is None or (written.sources is not None and calling is None):
        return None
    if written.sources is not None and calling is not None:
        check_internet(calling, called, written.sources, ctx)
        calling = widened(calling, ctx)
    match written:
        case ast.EveryRequestIs():
            return ir.EveryRequestIs(calling, called, required)
        case ast.EveryRequestIsMtls():
            return ir.EveryRequestIsMtls(calling, called)
        case ast.EveryRequestSatisfies(operations=operations):
            return ir.EveryRequestSatisfies(calling, called, _narrowing(operations, None, ctx), required)
        case _ as never:
            assert_never(never)


def _required(written: _Every, ctx: Context) -> Predicate:
    match written:
        case ast.EveryRequestIs(operations=operations):
            return any_operation(operations)
        case ast.EveryRequestSatisfies(condition=expression):
            return condition(expression, ctx)
        case ast.EveryRequestIsMtls():
            return Always()
        case _ as never:
            assert_never(never)


def _no_path(written: ast.NoPath, ctx: Context) -> ir.NoPath | None:
    calling, called = source_set(written.sources, ctx), destinations(written.destinations, ctx)
    gone = None if written.bypassing is None else source_set(written.bypassing, ctx)
    if calling is None or called is None or (written.bypassing is not None and gone is None):
        return None
    hops = None if written.within is None else written.within.value
    return ir.NoPath(widened(calling, ctx), called, gone, hops)


def _isolated(left: SetExpression, right: SetExpression, ctx: Context) -> ir.IsIsolated | None:
    sides = [(_as_callers(side, ctx), _as_destinations(side, ctx)) for side in (left, right)]
    (one, one_called), (other, other_called) = sides
    if one is None or other is None or one_called is None or other_called is None:
        return None
    return ir.IsIsolated(widened(one, ctx), one_called, widened(other, ctx), other_called)


def _as_callers(written: SetExpression, ctx: Context) -> SourceSet | None:
    """Of externals, which call nobody, there are none."""
    found = callers(written, ctx, MEMBERS)
    return None if found is None else as_source_set(found, written_set(written), ctx.directory)


def _as_destinations(written: SetExpression, ctx: Context) -> tuple[Destination, ...] | None:
    """A set that only calls, such as `internet`, has no destination."""
    return () if isinstance(written, SOURCE_ONLY) else destinations(written, ctx)


def _no_mirror(places: SetExpression, zone: SetExpression, ctx: Context) -> ir.NoMirrorLeaves | None:
    called, inside = destinations(places, ctx), port_sets(zone, ctx)
    if called is None or inside is None:
        return None
    return ir.NoMirrorLeaves(called, tuple(sorted(inside)), written_set(zone))


def resolve_waivers(written: Iterable[Waive], ctx: Context) -> tuple[ir.Waiver, ...]:
    """The waivers by code and subject; whether a finding is meant by them is for a check to say."""
    waivers = (
        ir.Waiver(
            code=one.code.code,
            subject=one.target.name.text if isinstance(one.target, Named) else written_set(one.target),
            because=because(one.reasons),
            owner=owner(one.reasons),
            until=until(one.reasons),
            origin=ctx.origin(one.span),
        )
        for one in written
    )
    return tuple(sorted(waivers, key=_waiver_order))


def _waiver_order(waiver: ir.Waiver) -> tuple[str, ...]:
    return (waiver.code, waiver.subject, waiver.because or "", waiver.owner or "", str(waiver.until))
