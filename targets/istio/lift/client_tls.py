"""Clients that show no identity to servers of the mesh, because a DestinationRule takes the mesh's TLS from them."""

from __future__ import annotations

from meshproof.targets.istio.lift.destination_rules import DestinationRules, HostPolicy
from meshproof.targets.istio.lift.findings import NOT_MODELLED
from meshproof.targets.istio.lift.registry import KnownHost, Registry
from meshproof.targets.istio.lift.senders import Senders


def report_client_tls(registry: Registry, rules: DestinationRules, senders: Senders) -> None:
    """A finding for each host of the mesh to which some senders come without their identity.

    A request says as whom it arrives, so what is decided about it is known; that these senders cannot arrive with their
    identity is not in the lifted mesh.
    """
    for host in registry.all:
        if host.is_external or not host.workloads:
            continue
        for client in sorted({sender.namespace for sender in senders.all}):
            policy = rules.policy(host.name, host.namespace, client)
            _report(host, policy, registry)


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
