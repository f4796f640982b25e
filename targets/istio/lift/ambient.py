"""Rules as the proxy of a node enforces them (ztunnel:src/rbac.rs): it sees connections, and identities taken apart.

A rule that allows and asks for anything of HTTP is left out. One that denies loses those fields; if that empties all
items of some list, it never fires. Trust domains are no field there, and nothing is said of it.
"""

from __future__ import annotations

from dataclasses import replace

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.predicate import Opaque
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import ObjectIndex
from meshproof.targets.istio.lift.policy_terms import Term
from meshproof.targets.istio.lift.rule_forms import Alternative, Form, PolicyRule, http_form
from meshproof.targets.istio.lift.workloads import Workload

_KNOWN_FIELDS = frozenset(("principals", "namespaces", "serviceAccounts", "ipBlocks", "ports"))
_KNOWN_KEYS = frozenset(("source.ip", "source.namespace", "source.principal", "destination.ip", "destination.port"))
_UNSEEN = "trustDomains"
USE_WAYPOINT = "istio.io/use-waypoint"


def ambient_form(rule: PolicyRule, effect: Effect) -> Form | None:
    """What the rule, read as in an ambient mesh, asks of a connection; None if that is never met."""
    if effect is Effect.ALLOW and any(is_left_out(term) for term in rule.terms):
        return None
    sources, operations = (_kept(items) for items in (rule.sources, rule.operations))
    conditions = tuple(term for term in rule.conditions if not is_left_out(term))
    is_empty = bool(rule.sources and not sources) or bool(rule.operations and not operations)
    if is_empty or len(conditions) < len(rule.conditions):
        return None
    return http_form(PolicyRule(sources, operations, conditions, rule.origin))


def _kept(items: tuple[Alternative, ...]) -> tuple[Alternative, ...]:
    """The items with the fields that exist there; one that has none left matches nothing."""
    found = (
        replace(item, terms=tuple(term for term in item.terms if not is_left_out(term) and not is_unseen(term)))
        for item in items
    )
    return tuple(item for item in found if item.terms)


def is_left_out(term: Term) -> bool:
    """Whether the field is one of HTTP to the node's proxy; one that nobody knows may be in force."""
    if isinstance(term.predicate, Opaque) and not term.values:
        return False
    return term.name not in _KNOWN_FIELDS and term.name not in _KNOWN_KEYS and not is_unseen(term)


def is_unseen(term: Term) -> bool:
    """Whether the field is none there, and is passed over."""
    return term.name == _UNSEEN


def waypoint_of(workload: Workload, objects: ObjectIndex) -> str | None:
    """The waypoint through which requests come to the workload: its own label, its Services', the namespace's."""
    services = (dict(service.source.labels) for service in workload.services)
    area = objects.get(Kind.NAMESPACE, "", workload.namespace)
    for labels in (dict(workload.labels), *services, {} if area is None else dict(area.labels)):
        if USE_WAYPOINT in labels:
            return None if labels[USE_WAYPOINT] == "none" else labels[USE_WAYPOINT]
    return None
