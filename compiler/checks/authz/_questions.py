"""What the solver is asked about rules, once for all checks. Its modules are loaded on the first call: they load z3."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.verify.anomalies import RuleAnomaly
    from meshproof.compiler.verify.breadth import Breadth
    from meshproof.compiler.verify.conflicts import Conflict
    from meshproof.compiler.verify.hazards import Hazard
    from meshproof.compiler.verify.host_trust import HostTrust
    from meshproof.compiler.verify.per_rule import PerRule, UndecidedRule
    from meshproof.compiler.verify.slash_escapes import SlashEscape


def anomalies(ctx: CheckContext) -> PerRule[RuleAnomaly]:
    """Rules that do nothing, or nothing of their own."""
    from meshproof.compiler.verify.anomalies import rule_anomalies  # noqa: PLC0415

    return ctx.analysis().once(rule_anomalies)


def breadths(ctx: CheckContext) -> PerRule[Breadth]:
    """The dimensions in which rules take everything."""
    from meshproof.compiler.verify.breadth import rule_breadths  # noqa: PLC0415

    return ctx.analysis().once(rule_breadths)


def overlaps(ctx: CheckContext) -> PerRule[Conflict]:
    """The allows that each deny meets."""
    from meshproof.compiler.verify.conflicts import conflicts  # noqa: PLC0415

    return ctx.analysis().once(conflicts)


def hazards(ctx: CheckContext) -> PerRule[Hazard]:
    """What is lost by addition or escaped by omission."""
    from meshproof.compiler.verify.hazards import rule_hazards  # noqa: PLC0415

    return ctx.analysis().once(rule_hazards)


def slashes(ctx: CheckContext) -> PerRule[SlashEscape]:
    """The denies that a last slash escapes."""
    from meshproof.compiler.verify.slash_escapes import slash_escapes  # noqa: PLC0415

    return ctx.analysis().once(slash_escapes)


def hosts(ctx: CheckContext) -> PerRule[HostTrust]:
    """The rules that rest on the host."""
    from meshproof.compiler.verify.host_trust import host_trusts  # noqa: PLC0415

    return ctx.analysis().once(host_trusts)


def undecided(ctx: CheckContext) -> Iterator[UndecidedRule]:
    """What none of these questions could find out."""
    for question in (anomalies, breadths, overlaps, hazards, slashes, hosts):
        yield from question(ctx).undecided


def example_of(ctx: CheckContext, conflict: Conflict) -> Request | None:
    """The plainest request that both rules match, if one can be shown."""
    from meshproof.compiler.verify.conflicts import overlap  # noqa: PLC0415
    from meshproof.compiler.verify.verdict import Example  # noqa: PLC0415

    answer = overlap(ctx.analysis(), conflict)
    return answer.witness.request if isinstance(answer, Example) else None


def parts_that_exclude_each_other(ctx: CheckContext, rule: AuthzRule) -> tuple[str, ...]:
    """Why a rule matches nothing, as far as that can be said."""
    from meshproof.compiler.verify.contradiction import contradiction  # noqa: PLC0415

    return contradiction(ctx.analysis(), rule)
