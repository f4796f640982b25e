"""Clients that show no identity to servers of the mesh, because a DestinationRule takes the mesh's TLS from them."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.entities import Destination, SourceSet
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.mtls import (
    MeshScope,
    MtlsMode,
    MtlsPolicy,
    MtlsScope,
    NamespaceScope,
    PortScope,
    ServiceScope,
)
from meshproof.compiler.ir.predicate import Predicate, SourceIdentity, Test, conjunction, disjunction
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.destination_rules import DestinationRules, HostPolicy
from meshproof.targets.istio.lift.findings import NOT_MODELLED
from meshproof.targets.istio.lift.registry import KnownHost, Registry
from meshproof.targets.istio.lift.senders import Sender, Senders
from meshproof.targets.istio.lift.unmodelled import About, unknown_rules

_KNOWN = Test(SourceIdentity(), Present())


def lift_client_tls(registry: Registry, rules: DestinationRules, senders: Senders) -> tuple[AuthzRule, ...]:
    """Rules that make unknown what is decided about the identities of senders who cannot show them, and a finding for
    each host to which some come so.

    A request with such an identity comes from a sender that goes around its proxy, or it does not come: which of the
    two is meant nobody can tell. Nodes that are known from elsewhere are compared in this beside the mesh.
    """  # noqa: D205
    hosts = [one for one in registry.all if not one.is_external and one.workloads]
    clients = sorted({sender.namespace for sender in senders.all})
    for host in hosts:
        policies = (rules.policy(host.name, host.namespace, client) for client in clients)
        for policy in {id(one): one for one in policies}.values():
            _report(host, policy, registry)
    if registry.context.is_of_known_nodes:
        return ()
    return tuple(rule for host in hosts for rule in _doubts(host, rules, senders))


def _report(host: KnownHost, policy: HostPolicy, registry: Registry) -> None:
    for port in host.ports:
        for subset in (None, *(one.name for one in policy.subsets)):
            mode = policy.tls(port.number, subset)
            if mode.has_identity:
                continue
            tls = policy.section("tls", port.number, subset)
            which = f"`{host.name}:{port.number}`" + ("" if subset is None else f" (subset `{subset}`)")
            message = f"clients speak {mode} to {which}, so they show no identity there"
            advice = "rules that let callers in by identity refuse them: use ISTIO_MUTUAL, or leave `tls` out"
            registry.context.findings.add(NOT_MODELLED, message, host.label, tls.span, advice=advice)


def _doubts(host: KnownHost, rules: DestinationRules, senders: Senders) -> Iterator[AuthzRule]:
    for port in host.ports:

        def is_nameless(sender: Sender, number: int = port.number) -> bool:
            policy = rules.policy(host.name, host.namespace, sender.namespace, sender.workload)
            versions = (None, *(one.name for one in policy.subsets))
            return any(not policy.tls(number, version).has_identity for version in versions)

        if not any(map(is_nameless, senders.all)):
            continue
        groups = senders.groups(is_nameless, host.origin)
        matches = disjunction(tuple(group.condition for group in groups if group.result))
        about = About(_known_among(matches))
        for end in host.ends(port.number):
            name = f"client-tls:{host.name}:{port.number}->{end.node}:{end.port}"
            field = f"whether senders show their identity to {host.name}:{port.number}"
            yield from unknown_rules(name, field, host.origin, (end.node,), (end.port,), about)


def _known_among(matches: Predicate) -> SourceSet:
    """Those of the senders who have an identity: what has none may be anyone's, and is decided as it comes."""
    found = conjunction((_KNOWN, matches))
    return SourceSet(found, has_internet=False, members=(), shared=(), text="senders whose proxies show no identity")


def where_identities_count(
    doubts: tuple[AuthzRule, ...], statements: tuple[MtlsPolicy, ...], context: LiftContext
) -> Iterator[AuthzRule]:
    """The doubts about ports that take identities at all."""
    modes = {one.scope: one.mode for one in statements}
    for rule in doubts:
        if all(_mode(place, modes, context) is not MtlsMode.DISABLED for place in rule.destinations):
            yield rule


def _mode(place: Destination, modes: dict[MtlsScope, MtlsMode], context: LiftContext) -> MtlsMode | None:
    """The mode at the one port of a destination: of the closest statement."""
    workload = context.workload(place.node)
    scopes: tuple[MtlsScope, ...] = (
        *(PortScope(place.node, port) for port in place.ports or ()),
        ServiceScope(place.node),
        *(() if workload is None else (NamespaceScope(workload.namespace),)),
        MeshScope(),
    )
    return next((modes[scope] for scope in scopes if scope in modes), None)
