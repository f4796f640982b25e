"""Subsets of DestinationRules whose pods no file makes, where files make others in the namespace."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.dsl.diagnostic import Label, Severity
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import UNKNOWN_WORKLOAD
from meshproof.targets.istio.lift.hosts import full_host
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import mapping, mappings, number, origin_of, pairs, text

_MOST = 4


def notice_unmade_subsets(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """One finding for all of them; where files make pods behind the host, routes say which subset has none."""
    lost = [
        (rule, subset)
        for rule in context.objects.of(Kind.DESTINATION_RULE)
        if rule not in refused
        for subset in _unmade(rule, context)
    ]
    if not lost:
        return
    first, _ = lost[0]
    names = [f"`{text(subset.get('name')) or ''}` of `{rule.name}`" for rule, subset in lost]
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    places = [origin_of(subset) for _, subset in lost]
    context.findings.add(
        UNKNOWN_WORKLOAD,
        f"subsets choose pods that no file makes: {', '.join(names[:_MOST])}{more}",
        first.full_name,
        places[0],
        label="chooses nothing that is here",
        others=tuple(Label(place.span, "nor does this") for place in places[1:]),
        advice="add the files that make these pods: Istio answers 503 to what is sent to a subset without any",
        notes=tuple(dict.fromkeys(note for rule, subset in lost for note in _shares(rule, subset, context))),
        severity=Severity.INFO,
    )


def _shares(rule: KubeObject, subset: MapNode, context: LiftContext) -> Iterator[str]:
    """What part of their requests routes send to the subset, where they divide them."""
    name, domain = text(subset.get("name")), context.services.cluster_domain
    host = full_host(text(rule.spec.get("host")) or "", rule.namespace, domain)
    for source in context.objects.of(Kind.VIRTUAL_SERVICE):
        for sent in (one for route in mappings(source.spec.get("http")) for one in mappings(route.get("route"))):
            meant = mapping(sent.get("destination"))
            weight = number(sent.get("weight"))
            is_host = full_host(text(meant.get("host")) or "", source.namespace, domain) == host
            if is_host and weight and text(meant.get("subset")) == name:
                yield f"`{source.full_name}` sends {weight} % to `{name}` of `{rule.name}`"


def _unmade(rule: KubeObject, context: LiftContext) -> Iterator[MapNode]:
    name, _, rest = (text(rule.spec.get("host")) or "").partition(".")
    namespace = rest.partition(".")[0] or rule.namespace
    made = [one for one in context.workloads if not one.is_inferred and one.namespace == namespace]
    behind = [one for one in context.behind(namespace, name) if not one.is_inferred]
    if behind or not made:
        return
    for subset in mappings(rule.spec.get("subsets")):
        labels = pairs(subset.get("labels"))
        if labels and not any(one.has_labels(labels) for one in made):
            yield subset
