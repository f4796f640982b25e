"""Rules that the proxy of a node reads otherwise than a sidecar does: it sees connections, and no trust domains."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import Effect
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.ambient import ambient_form, is_left_out, is_unseen
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import READ_OTHERWISE
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.mesh_settings import DEFAULT_DOMAIN, MeshSettings
from meshproof.targets.istio.lift.notices.dry_run import is_dry_run
from meshproof.targets.istio.lift.notices.naming import named
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.policy_terms import Reading, Term
from meshproof.targets.istio.lift.rule_forms import PolicyRule, read_rule
from meshproof.targets.istio.lift.values import items, text

_PRINCIPALS = frozenset(("principals", "source.principal"))
_EFFECTS = {"ALLOW": Effect.ALLOW, "DENY": Effect.DENY}
_Odd = tuple[str, str, str]
"""What becomes of a rule, why a proxy of a node makes that of it, and what to do about it."""


def notice_ambient(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each rule and what becomes of it."""
    for policy in context.objects.of(Kind.AUTHORIZATION_POLICY):
        action = text(policy.spec.get("action")) or "ALLOW"
        names = [one.name for one in in_force_at(policy, context) if one.membership is Membership.AMBIENT]
        effect = _EFFECTS.get(action)
        if policy in refused or is_dry_run(policy) or not names:
            continue
        if action == "CUSTOM":
            message = (
                f"AuthorizationPolicy `{policy.full_name}` asks nobody at {named(names)}: the proxy of a node cannot"
            )
            context.findings.add(READ_OTHERWISE, message, policy.full_name, policy.origin, advice=_ATTACH)
        if effect is None:
            continue
        reading = Reading(policy.namespace, context.settings.bundle, is_ambient=True)
        for index, rule in enumerate(items(policy.spec.get("rules"))):
            if not isinstance(rule, MapNode):
                continue
            title = f"{action.lower()} `{policy.full_name}[{index}]`"
            for what, why, advice in _odd(read_rule(rule, reading), effect, context.settings):
                message = f"{title} {what} at {named(names)}: the proxy of a node {why}"
                context.findings.add(READ_OTHERWISE, message, policy.full_name, rule.span, advice=advice)


_ATTACH = "attach it to a waypoint with `targetRefs`: that reads requests"


def _odd(rule: PolicyRule, effect: Effect, settings: MeshSettings) -> Iterator[_Odd]:
    lost = [term.name for term in rule.terms if is_left_out(term)]
    unseen = [term.name for term in rule.terms if is_unseen(term)]
    if lost or unseen:
        yield _changed(rule, effect, lost, unseen)
    for term in rule.terms:
        yield from _aliases(term, settings)


def _changed(rule: PolicyRule, effect: Effect, lost: list[str], unseen: list[str]) -> _Odd:
    """What becomes of a rule without these fields."""
    if ambient_form(rule, effect) is None:
        what = "lets nobody in" if effect is Effect.ALLOW else "never fires"
    else:
        what = "refuses more than it says" if lost else "takes every trust domain"
    advice = _ATTACH if lost else "name the callers with `principals`"
    return what, f"does not see its {named((*lost, *unseen))}", advice


def _aliases(term: Term, settings: MeshSettings) -> Iterator[_Odd]:
    """Principals that a sidecar takes for ones of the mesh, by an alias."""
    if term.name in _PRINCIPALS:
        for value in term.values:
            domain, slash, rest = value.removeprefix("spiffe://").partition("/")
            if slash and domain != settings.trust_domain and domain in {DEFAULT_DOMAIN, *settings.aliases}:
                advice = f"write `{settings.trust_domain}/{rest}` beside it"
                yield f"takes nobody of this mesh for `{value}`", "knows no aliases", advice
