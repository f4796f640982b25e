"""Everything that is less strict than it should be, for a reason and until a day (language reference, "Rules")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules, title
from meshproof.compiler.checks.mtls._modes import scope_name
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.resolve.callers import takes
from meshproof.compiler.resolve.written import written_set
from meshproof.dsl.ast.rules import MtlsStatement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.assertions import Assumption, Waiver
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.mtls import MtlsPolicy
    from meshproof.dsl.source import Span

BECAUSE, UNTIL, OWNER = "because", "until", "owner"


@dataclass(frozen=True, slots=True)
class Excepted:
    """One statement that may say why it is there and until when.

    `title` is what to call it, `subject` what a waiver names. `needs` are the clauses that it must have, `why` says
    what makes it an exception. `is_kept` tells that it stays in force when its day is over.
    """

    title: str
    subject: str
    span: Span
    because: str | None
    owner: str | None
    until: date | None
    needs: tuple[str, ...]
    why: str
    is_kept: bool = False

    @property
    def missing(self) -> tuple[str, ...]:
        """The clauses that it must have and has not."""
        there = {BECAUSE: self.because, UNTIL: self.until, OWNER: self.owner}
        return tuple(name for name in self.needs if there[name] is None)


def exceptions(ctx: CheckContext) -> Iterator[Excepted]:
    """Every rule, mTLS statement, `observe` and `assume`; manifests have no words for reasons and days."""
    if not ctx.mesh.is_lifted:
        yield from _rules(ctx)
        yield from _mtls(ctx)
        yield from _observed(ctx)
    for proof in ctx.mesh.proofs:
        for assumption in proof.assumptions:
            yield _assume(assumption, proof.title)


def waivers(ctx: CheckContext) -> Iterator[Excepted]:
    """Every waiver of the policy."""
    yield from map(_waiver, ctx.mesh.waivers)


def _rules(ctx: CheckContext) -> Iterator[Excepted]:
    rules = Rules(ctx)
    for rule in ctx.mesh.rules:
        written = rules.written(rule)
        is_audit = not rule.is_enforced or (written is not None and written.audit is not None)
        is_open = rule.effect is Effect.ALLOW and takes(rule.sources.matches, None)
        why = "is logged and decides nothing" if is_audit else "lets in callers without an identity" if is_open else ""
        yield Excepted(
            title=title(rule),
            subject=rule.id,
            span=rules.head(rule),
            because=rule.because,
            owner=rule.owner,
            until=rule.until,
            needs=(BECAUSE, UNTIL) if is_audit else (BECAUSE,) if is_open else (),
            why=why,
            is_kept=_is_kept(rule, is_audit=is_audit),
        )


def _is_kept(rule: AuthzRule, *, is_audit: bool) -> bool:
    return rule.effect is not Effect.ALLOW and not is_audit


def _mtls(ctx: CheckContext) -> Iterator[Excepted]:
    """One for each statement: one that is for several destinations has a policy for each of them."""
    statements = {
        statement.span: statement
        for document in ctx.documents
        for statement in document.statements
        if isinstance(statement, MtlsStatement)
    }
    for policy in {policy.origin: policy for policy in ctx.mesh.mtls}.values():
        statement = statements.get(policy.origin.span)
        target = scope_name(ctx.mesh, policy.scope) if statement is None else written_set(statement.destinations)
        yield _mtls_statement(policy, target)


def _mtls_statement(policy: MtlsPolicy, target: str) -> Excepted:
    is_strict = policy.mode is MtlsMode.STRICT
    why = "takes callers without an identity" if policy.mode is MtlsMode.PERMISSIVE else "protects no connection"
    return Excepted(
        title=f"`mtls {policy.mode}` for `{target}`",
        subject=target,
        span=policy.origin.span,
        because=policy.because,
        owner=policy.owner,
        until=policy.until,
        needs=() if is_strict else (BECAUSE, UNTIL),
        why="" if is_strict else why,
        is_kept=is_strict,
    )


def _observed(ctx: CheckContext) -> Iterator[Excepted]:
    """What namespaces and services say; a service that says nothing has what its namespace says."""
    said = {f"namespace {namespace.name}": namespace.observe for namespace in ctx.mesh.namespaces}
    own = {service.name: service.observe for service in ctx.mesh.services if service.observe not in said.values()}
    for subject, exemption in (*said.items(), *own.items()):
        if exemption is not None:
            yield Excepted(
                title=f"`observe` of `{subject}`",
                subject=subject,
                span=exemption.origin.span,
                because=exemption.because,
                owner=exemption.owner,
                until=exemption.until,
                needs=(BECAUSE, UNTIL),
                why="refuses nothing",
            )


def _assume(assumption: Assumption, block: str) -> Excepted:
    return Excepted(
        title=f"`assume` in `{block}`",
        subject=block,
        span=assumption.origin.span,
        because=assumption.because,
        owner=assumption.owner,
        until=assumption.until,
        needs=(BECAUSE, OWNER, UNTIL),
        why="makes proofs rest on what nobody has proved",
    )


def _waiver(waiver: Waiver) -> Excepted:
    return Excepted(
        title=f"the waiver of {waiver.code} on `{waiver.subject}`",
        subject=waiver.subject,
        span=waiver.origin.span,
        because=waiver.because,
        owner=waiver.owner,
        until=waiver.until,
        needs=(BECAUSE, OWNER, UNTIL),
        why="takes a finding out of the count",
    )
