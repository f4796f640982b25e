"""Routes and connection settings for one host in several objects, of which proxies take one."""

from __future__ import annotations

from meshproof.dsl.diagnostic import Label
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.destination_rules import DestinationRules
from meshproof.targets.istio.lift.findings import COMPETING
from meshproof.targets.istio.lift.hosts import MESH, Exports, covers, default_exports, exports_of, full_host, is_wild
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.notices.naming import named
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.values import texts


def notice_rivals(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A finding for each VirtualService that sidecars pass over, and each DestinationRule that hides one."""
    _notice_routes(context, refused)
    _notice_hidden(context, refused)


def _notice_routes(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """In sidecars the oldest VirtualService of a host is taken, in whatever namespace it stands; the others are not."""
    default = default_exports(context.settings.config.get("defaultVirtualServiceExportTo"))
    winners: dict[str, list[tuple[KubeObject, Exports]]] = {}
    objects = (one for one in context.objects.of(Kind.VIRTUAL_SERVICE) if one not in refused)
    for source in sorted(objects, key=lambda one: one.age_key):
        exports = exports_of(source.spec.get("exportTo"), source.namespace, default)
        lost: dict[KubeObject, list[str]] = {}
        for host in _mesh_hosts(source, context.services.cluster_domain):
            first = next((one for one, seen in winners.get(host, ()) if _meet(seen, exports)), None)
            if first is None:
                winners.setdefault(host, []).append((source, exports))
            else:
                lost.setdefault(first, []).append(host)
        for taken, hosts in lost.items():
            _report(context, source, taken, hosts)


def _report(context: LiftContext, source: KubeObject, taken: KubeObject, hosts: list[str]) -> None:
    why = "is older" if taken.created != source.created else "comes first by name, as both are of one age"
    context.findings.add(
        COMPETING,
        f"VirtualService `{source.full_name}` does nothing in sidecars for {named(hosts)}: `{taken.full_name}` {why}",
        source.full_name,
        source.origin,
        label="is passed over",
        others=(Label(taken.origin.span, "is taken"),),
        advice="make one of the two",
    )


def _mesh_hosts(source: KubeObject, domain: str) -> tuple[str, ...]:
    """The hosts for which it says something to sidecars."""
    gateways = [one.value for one in texts(source.spec.get("gateways"))]
    if gateways and MESH not in gateways:
        return ()
    hosts = (full_host(one.value, source.namespace, domain) for one in texts(source.spec.get("hosts")))
    return tuple(dict.fromkeys(hosts))


def _meet(one: Exports, other: Exports) -> bool:
    """Whether some namespace sees both."""
    return one.namespaces is None or other.namespaces is None or bool(one.namespaces & other.namespaces)


def _notice_hidden(context: LiftContext, refused: frozenset[KubeObject]) -> None:
    """A client takes the rules of its own namespace, and then none of the owner of the host."""
    rules = [one for one in DestinationRules(context).rules if one.source not in refused]
    domain = context.services.cluster_domain
    owners: dict[str, list[tuple[KubeObject, Exports]]] = {}
    for one in rules:
        if not is_wild(one.host) and one.host.endswith(f".{one.source.namespace}.svc.{domain}"):
            owners.setdefault(one.host, []).append((one.source, one.exports))
    for own in rules:
        namespace = own.source.namespace
        hosts = owners if is_wild(own.host) else {own.host}
        hidden = [
            source.full_name
            for host in hosts
            if covers(own.host, host) and not own.client_labels
            for source, exports in owners.get(host, ())
            if namespace != source.namespace != context.settings.root_namespace and exports.reach(namespace)
        ]
        if hidden and context.in_namespace(namespace):
            message = f"DestinationRule `{own.source.full_name}` hides {named(hidden)} from clients in `{namespace}`"
            advice = "say there what the owner's says, versions and TLS, or take it away"
            context.findings.add(COMPETING, message, own.source.full_name, own.source.origin, advice=advice)
