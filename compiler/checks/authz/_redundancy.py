"""Rules that can go without a change, and what is to be said of the rules that make it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import anomalies
from meshproof.compiler.checks.authz._rules import VERBS, Rules
from meshproof.compiler.checks.showing import listed, proof_row
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.names import written_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.names import RuleId
    from meshproof.compiler.verify.anomalies import RuleAnomaly
    from meshproof.dsl.diagnostic import Evidence, Label


_EVERYTHING = {"covered": "all of it that is allowed"}
"""What a single rule takes of another one, where it is not all of it."""


def redundant(ctx: CheckContext, *kinds: str) -> Iterator[tuple[AuthzRule, RuleAnomaly]]:
    """The rules with an anomaly of these kinds, unless another environment needs the rule."""
    rules = Rules(ctx)
    needless = {found.rule for found in anomalies(ctx).found}
    forms = _forms(ctx)
    for found in anomalies(ctx).found:
        rule = rules[found.rule]
        if found.kind not in kinds or any(_is_needed(rule, other) for other in ctx.elsewhere()):
            continue
        written = forms[written_name(rule.id)]
        if found.rule == written[0] and needless.issuperset(written):
            yield rule, found


def _forms(ctx: CheckContext) -> dict[str, list[RuleId]]:
    """The rules that some request could meet by the name that is written: a lifted rule may be in several forms."""
    found: dict[str, list[RuleId]] = {}
    analysis = ctx.analysis()
    for rule in ctx.mesh.rules:
        if rule.id in analysis.rules and analysis.scopes_of(rule.id):
            found.setdefault(written_name(rule.id), []).append(rule.id)
    return found


def _is_needed(rule: AuthzRule, ctx: CheckContext) -> bool:
    """Whether a rule does something, or may, in another environment."""
    analysis = ctx.analysis()
    there = analysis.rules.get(rule.id)
    if there is None or there.origin != rule.origin or not analysis.scopes_of(rule.id):
        return False
    return rule.id not in {found.rule for found in anomalies(ctx).found}


def cover_labels(rules: Rules, found: RuleAnomaly) -> tuple[Label, ...]:
    """What each rule of the cover does with what the rule matches, and one of another effect that meets it."""
    share = "a part of it" if len(found.cover) > 1 else _EVERYTHING.get(found.kind, "all of it")
    labels = [rules.label(name, f"{VERBS[rules[name].effect]} {share}") for name in found.cover]
    if found.contrary is not None:
        labels.append(rules.label(found.contrary, f"{VERBS[rules[found.contrary].effect]} some of it"))
    return tuple(labels)


def proof(found: RuleAnomaly, sentence: str) -> Evidence:
    """What was proved, of everything or of what passes transport."""
    return proof_row(sentence if found.is_stable else f"of what passes transport, {sentence}")


def first_end(rules: Rules, rule: AuthzRule, found: RuleAnomaly) -> date | None:
    """The day on which a rule of the cover ends that the rule outlives, if there is one."""
    ends = (one.until for one in map(rules.__getitem__, found.cover) if one.effect is Effect.ALLOW)
    own = rule.until if rule.effect is Effect.ALLOW else None
    return min((end for end in ends if end is not None and (own is None or end < own)), default=None)


def notes(rules: Rules, rule: AuthzRule, found: RuleAnomaly) -> tuple[str, ...]:
    """Under which circumstances a rule can go."""
    said = []
    if not found.is_stable:
        said.append("this is so for what passes transport: with another mTLS mode it may be different")
    end = first_end(rules, rule, found)
    if end is not None:
        ending = [name for name in found.cover if rules[name].until == end]
        said.append(f"{listed(ending)} ends on {end}; `{rule.id}` is needed from then on")
    return tuple(said)
