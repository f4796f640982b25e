"""Whether policies tell an alias of the trust domain apart from the trust domain."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.conditions import SOURCE_PRINCIPAL, SOURCE_TRUST_DOMAIN
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.trust_domains import tells_apart_domains, tells_apart_principals
from meshproof.targets.istio.lift.values import mapping, mappings, text, texts


def tells_aliases_apart(context: LiftContext) -> bool:
    """Whether some list of principals or trust domains takes an identity under one of our domains alone.

    Where none does, an identity of an alias is read as ours, as the language reads it; else every domain is its own.
    """
    bundle = context.settings.bundle
    if len(bundle) == 1:
        return False
    rules = (
        rule for policy in context.objects.of(Kind.AUTHORIZATION_POLICY) for rule in mappings(policy.spec.get("rules"))
    )
    # The proxies of nodes know no aliases, and a domain called `ns` looks like the start of a namespace.
    is_literal = any(workload.membership is Membership.AMBIENT for workload in context.workloads)
    return is_literal or "ns" in bundle or any(_tells_apart(rule, bundle) for rule in rules)


def _tells_apart(rule: MapNode, bundle: tuple[str, ...]) -> bool:
    return any(tells_apart_principals(values, bundle) for values in _lists(rule, "rincipals", SOURCE_PRINCIPAL)) or any(
        tells_apart_domains(values, bundle) for values in _lists(rule, "rustDomains", SOURCE_TRUST_DOMAIN)
    )


def _lists(rule: MapNode, ending: str, key: str) -> Iterator[tuple[str, ...]]:
    """The lists of values of a field of sources, negated or not, and of a key of conditions."""
    for source in (mapping(one.get("source")) for one in mappings(rule.get("from"))):
        for entry in source.entries:
            if entry.key.endswith(ending) and not entry.key.startswith("request"):
                yield tuple(one.value for one in texts(entry.value))
    for condition in mappings(rule.get("when")):
        if text(condition.get("key")) == key:
            for field in ("values", "notValues"):
                yield tuple(one.value for one in texts(condition.get(field)))
