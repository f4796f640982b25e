"""What is outside of the mesh, and which senders' proxies let requests out to it."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, External
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.mesh import Egress
from meshproof.compiler.ir.names import NodeName, RuleId
from meshproof.compiler.ir.predicate import (
    Always,
    Predicate,
    SourceIdentity,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.ir.routing import Route
from meshproof.targets.common.callers import Identities
from meshproof.targets.istio.lift.registry import KnownHost, Registry, arriving_at
from meshproof.targets.istio.lift.senders import Senders
from meshproof.targets.istio.lift.sidecars import View
from meshproof.targets.istio.lift.workloads import Role


def externals_of(registry: Registry) -> tuple[External, ...]:
    """Everything that stands for something outside, each once, by name. Complete once the routes are made."""
    declared = (host.external for host in registry.all if host.external is not None)
    found = {one.name: one for one in (*registry.unknown.values(), *declared)}
    return tuple(found[name] for name in sorted(found))


def egress_of(registry: Registry, senders: Senders, routes: tuple[Route, ...]) -> tuple[Egress, tuple[AuthzRule, ...]]:
    """Whether all senders' proxies let everything out; else the rules that say who may go out to each external.

    With REGISTRY_ONLY a proxy refuses what it does not know. That is no boundary: a workload can go around its proxy.
    A gateway sends nothing but what its routes say.
    """
    if all(not sender.view.is_closed for sender in senders.all):
        return Egress.OPEN, ()
    domain = registry.context.settings.trust_domain
    workloads = registry.context.workloads
    identities = Identities((one.name, one.identity(domain).uri) for one in workloads)
    edges = _edges(registry)
    found: list[AuthzRule] = []
    for external in externals_of(registry):
        sending = {route.node for route in routes if _leads_to(route, external.name)}
        forwarding = disjunction(tuple(test for name, test in edges.items() if name in sending))
        for ports, matches in _going_out(external, registry, senders):
            own = conjunction((matches, negation(disjunction(tuple(dict.fromkeys(edges.values()))))))
            found.append(_rule(external, ports, disjunction((own, forwarding)), identities))
    return Egress.CLOSED, tuple(found)


def _edges(registry: Registry) -> dict[NodeName, Predicate]:
    """The gateways by identity, but for those that share their account with a workload that is none."""
    domain = registry.context.settings.trust_domain
    workloads = registry.context.workloads
    plain = {one.identity(domain).uri for one in workloads if one.role is Role.SIDECAR}
    found = {one.name: one.identity(domain).uri for one in workloads if one.role is Role.GATEWAY}
    return {name: Test(SourceIdentity(), Exact(uri)) for name, uri in found.items() if uri not in plain}


def _leads_to(route: Route, node: NodeName) -> bool:
    return any(target.node == node for branch in route.branches for target in branch.targets)


def _going_out(
    external: External, registry: Registry, senders: Senders
) -> Iterator[tuple[tuple[int, ...] | None, Predicate]]:
    """Who may go out to which ports, by the numbers where requests arrive; None is every port."""
    hosts = [host for host in registry.all if host.external is not None and host.external.name == external.name]
    found: dict[Predicate, list[int]] = {}
    for port in sorted({port.number for host in hosts for port in host.ports}):
        at_port = [host for host in hosts if host.port(port) is not None]
        groups = senders.groups(
            lambda sender, port=port, at_port=at_port: any(_lets_out(host, port, sender.view) for host in at_port),  # type: ignore[misc]
            external.origin,
        )
        matches = disjunction(tuple(group.condition for group in groups if group.result))
        found.setdefault(matches, []).append(arriving_at(external, port))
    for matches, ports in found.items():
        yield tuple(ports), matches
    if not found:
        groups = senders.groups(lambda sender: not sender.view.is_closed, external.origin)
        yield None, disjunction(tuple(group.condition for group in groups if group.result))


def _lets_out(host: KnownHost, port: int, view: View) -> bool:
    if not view.is_closed:
        return True
    return host.exports.reach(view.namespace) and view.knows(host.namespace, host.name, port)


def _rule(external: External, ports: tuple[int, ...] | None, matches: Predicate, identities: Identities) -> AuthzRule:
    listed = "" if ports is None else f":{','.join(map(str, ports))}"
    return AuthzRule(
        id=RuleId(f"outbound {external.name}{listed}"),
        effect=Effect.ALLOW,
        sources=identities.source_set(matches, "senders whose proxies let it out"),
        destinations=(Destination(external.name, ports),),
        operations=(),
        when=Always(),
        origin=external.origin,
    )
