"""Objects that change proxies in ways that are not modelled, and workloads that no proxy of a mesh stands before."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.names import NodeName
from meshproof.targets.istio.lift.ambient import waypoint_of
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import NOT_MODELLED
from meshproof.targets.istio.lift.in_force import in_force_at
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.proxy_annotations import pod_annotations
from meshproof.targets.istio.lift.unmodelled import unknown_object, unknown_rules
from meshproof.targets.istio.lift.values import flag, mappings, origin_of, text
from meshproof.targets.istio.lift.workloads import Role, Workload

_EXCLUDED = "traffic.sidecar.istio.io/excludeInboundPorts"
_INCLUDED = "traffic.sidecar.istio.io/includeInboundPorts"
_OUTBOUND = "SIDECAR_OUTBOUND"
_OF_CONNECTIONS = frozenset(("LISTENER", "FILTER_CHAIN", "LISTENER_FILTER", "NETWORK_FILTER", "BOOTSTRAP", "INVALID"))
_ROLES = {"GATEWAY": (Role.GATEWAY,), "SIDECAR_INBOUND": (Role.SIDECAR,), _OUTBOUND: ()}


def lift_foreign(context: LiftContext) -> Iterator[AuthzRule]:
    """Rules that make unknown what these objects may change; each object is a finding too."""
    for kind in (Kind.ENVOY_FILTER, Kind.WASM_PLUGIN):
        for source in context.objects.of(kind):
            found = in_force_at(source, context)
            names = tuple(workload.name for workload in found if _may_touch(source, workload))
            effect = f"what it does at {len(names)} workloads is unknown" if names else "it is for no workload here"
            message = f"{kind} `{source.full_name}` is not modelled: {effect}"
            context.findings.add(NOT_MODELLED, message, source.full_name, source.origin)
            yield from unknown_object(source, names)
    for workload in context.workloads:
        yield from _of_workload(workload, context)
    yield from _of_mesh(context)


def _of_mesh(context: LiftContext) -> Iterator[AuthzRule]:
    """Settings of the mesh that may change decisions: what istiod sees, who has an identity, who the client is."""
    config = context.settings.config
    everywhere = tuple(workload.name for workload in context.workloads)
    edges = tuple(workload.name for workload in context.gateways)
    auto = config.get("enableAutoMtls")
    if context.settings.is_contested:
        yield from unknown_rules("mesh:meshConfig", "meshConfig", context.settings.origin, everywhere)
    doubtful = (
        ("discoverySelectors", config.get("discoverySelectors"), everywhere),
        ("enableAutoMtls", auto if flag(auto) is False else None, everywhere),
        ("gatewayTopology.proxyProtocol", config.at("defaultConfig", "gatewayTopology", "proxyProtocol"), edges),
    )
    for field, value, nodes in doubtful:
        if value is not None:
            message = f"`{field}` of the mesh is not modelled: what reaches {len(nodes)} workloads is unknown"
            context.findings.add(NOT_MODELLED, message, field, origin_of(value))
            yield from unknown_rules(f"mesh:{field}", field, origin_of(value), nodes)


def _may_touch(source: KubeObject, workload: Workload) -> bool:
    """Whether the object may change what the workload's proxy does with what arrives."""
    if workload.membership is Membership.AMBIENT:
        return False  # the node's proxy knows neither filters nor plugins
    if source.kind is not Kind.ENVOY_FILTER:
        return True
    contexts = {text(patch.at("match", "context")) or "ANY" for patch in mappings(source.spec.get("configPatches"))}
    return any(workload.role in _ROLES.get(name, (Role.GATEWAY, Role.SIDECAR)) for name in contexts)


def unsure_transport(context: LiftContext) -> Iterator[Workload]:
    """The workloads at which a filter may change who is let in by the handshake."""
    for source in context.objects.of(Kind.ENVOY_FILTER):
        kinds = {text(patch.get("applyTo")) for patch in mappings(source.spec.get("configPatches"))}
        if kinds & _OF_CONNECTIONS:
            found = in_force_at(source, context)
            yield from (workload for workload in found if _may_touch(source, workload))


def _of_workload(workload: Workload, context: LiftContext) -> Iterator[AuthzRule]:
    if workload.membership is Membership.AMBIENT:
        waypoint = waypoint_of(workload, context.objects)
        if waypoint is not None:
            message = f"`{workload.name}` stands behind the waypoint `{waypoint}`, which is not modelled"
            context.findings.add(NOT_MODELLED, message, workload.name, workload.origin)
            yield from unknown_rules(
                f"waypoint:{workload.name}", f"waypoint {waypoint}", workload.origin, (workload.name,)
            )
        return
    annotations = pod_annotations(workload)
    for name, ports in ((_EXCLUDED, _ports(annotations.get(_EXCLUDED, ""))), (_INCLUDED, None)):
        written = annotations.get(name)
        if written is None or ports == () or (name == _INCLUDED and written == "*"):
            continue
        message = f"`{name}: {written}` at `{workload.name}` is not modelled: some ports are not under any policy"
        context.findings.add(NOT_MODELLED, message, workload.name, workload.origin)
        nodes: tuple[NodeName, ...] = (workload.name,)
        yield from unknown_rules(f"{name}:{workload.name}", name, workload.origin, nodes, ports)


def _ports(written: str) -> tuple[int, ...]:
    return tuple(sorted({int(port) for port in written.replace(" ", "").split(",") if port.isdecimal()}))
