"""What closes the network around the workloads, by what closes it where they run; refusals where nothing can."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from meshproof.compiler.backend.artifact import MapEntry
from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.residual import Residual
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.quotas import OF_PROXIES
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import gate_labels
from meshproof.targets.appmesh.options import NETWORK, Network, Rendering
from meshproof.targets.appmesh.residue.network import KIND, NetworkPolicy, network_policies, network_residuals
from meshproof.targets.appmesh.residue.security_groups import SecurityGroup, group_residuals, security_groups
from meshproof.targets.appmesh.residue.workloads import Kind, Opening, Workload, openings
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.kubernetes_names import is_label, is_namespace

_BY_KUBERNETES = f"`--option {NETWORK}=kubernetes` writes NetworkPolicies that close it"


@dataclass(frozen=True, slots=True)
class Closing:
    """What closes the network, if anything does."""

    policies: tuple[NetworkPolicy, ...] = ()
    groups: tuple[SecurityGroup, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether ports without a listener are closed."""
        return bool(self.policies or self.groups)

    @property
    def residuals(self) -> tuple[Residual, ...]:
        """What is left to others besides."""
        return (*network_residuals(self.policies), *group_residuals(self.groups))


def tell_namespaces(context: Context) -> None:
    """MP701 at each closed namespace, unless NetworkPolicies close it: undeclared workloads have no proxy."""
    if context.options.closing is Network.KUBERNETES:
        return
    reason = "what the policy does not declare has no proxy of App Mesh, so the network alone can close it"
    for namespace in context.mesh.namespaces:
        if namespace.is_closed:
            error = NotExpressibleError(Feature.CLOSED_NAMESPACE, reason, f"in Kubernetes, {_BY_KUBERNETES}")
            context.findings.unsupported(namespace.name, namespace.origin, error)


def closing(context: Context, resources: Iterable[Value], gates: Collection[str]) -> Closing:
    """What closes the network around the workloads of the policy and the gates."""
    _tell_ports(context)
    if context.options.closing is Network.NONE:
        return Closing()
    workloads = dict(_workloads(context, tuple(resources), gates))
    if context.options.closing is Network.SECURITY_GROUPS:
        _tell_rendering(context)
        return Closing(groups=security_groups(workloads))
    _tell_names(context, workloads)
    _tell_overlaps(context, workloads)
    closed = [one.name for one in context.mesh.namespaces if one.is_closed]
    policies = network_policies(workloads, closed)
    context.pieces.extend(MapEntry(KIND, one.namespace, one.name, None, one.subject) for one in policies)
    return Closing(policies)


def _workloads(
    context: Context, resources: Collection[Value], gates: Collection[str]
) -> Iterator[tuple[Workload, Origin]]:
    """Each workload, and where it is declared; gates are the mesh's."""
    nodes = {one.virtual_node_name: one for one in resources if isinstance(one, VirtualNode)}
    gateways = {one.virtual_gateway_name: one for one in resources if isinstance(one, VirtualGateway)}
    for service in context.mesh.services:
        # Its versions listen alike.
        node = nodes[context.node(service, next(iter(service.versions), None))]
        yield _workload(Kind.SERVICE, service, openings(node.spec.listeners or ())), service.origin
    for gateway in context.mesh.gateways:
        found = gateways.get(context.gateway(gateway))
        listening = () if found is None else openings(found.spec.listeners)
        yield _workload(Kind.GATEWAY, gateway, listening), gateway.origin
    for gate in sorted(gates):
        own = gateways.get(gate)
        listening = () if own is None else openings(own.spec.listeners)
        found_gate = Workload(Kind.GATE, gate, context.gate_namespace, gate_labels(gate), context.gate.uri, listening)
        yield found_gate, context.mesh.origin


def _workload(kind: Kind, node: Service | Gateway, listening: tuple[Opening, ...]) -> Workload:
    return Workload(kind, str(node.name), node.namespace, node.labels, node.identity.uri, listening)


def _tell_rendering(context: Context) -> None:
    """MP709 where pods would need what only interfaces have."""
    if context.options.rendering is Rendering.KUBERNETES:
        message = "objects of Kubernetes are for pods, and security groups are not of pods"
        advice = f"leave `{NETWORK}` out: then NetworkPolicies close the network"
        context.findings.add("MP709", Severity.ERROR, message, context.mesh.name, context.mesh.origin, advice)


def _tell_ports(context: Context) -> None:
    """MP701 for ports at which proxies listen for themselves: no workload can, and to open them opens the proxy."""
    nodes: tuple[Service | Gateway, ...] = (*context.mesh.services, *context.mesh.gateways)
    for node in nodes:
        for port in node.ports:
            if port.workload in OF_PROXIES:
                reason = f"at its port {port.workload} the proxies of App Mesh listen themselves"
                error = NotExpressibleError(Feature.MTLS_PORTS, reason, "let it listen at another")
                context.findings.unsupported(str(node.name), port.origin, error)


def _tell_names(context: Context, workloads: Mapping[Workload, Origin]) -> None:
    """MP701 at what cannot exist in Kubernetes: its policy would select nothing, and leave open what it is about."""
    for one, origin in workloads.items():
        _tell_namespace(context, one.namespace, one.name, origin)
        for key, value in one.labels:
            if not is_label(key, value):
                _refuse(context, one.name, origin, f"no pod of Kubernetes can have the label `{key}: {value}`")
    for namespace in context.mesh.namespaces:
        if namespace.is_closed:
            _tell_namespace(context, namespace.name, namespace.name, namespace.origin)


def _tell_namespace(context: Context, name: str, subject: str, origin: Origin) -> None:
    if not is_namespace(name):
        _refuse(context, subject, origin, f"no namespace of Kubernetes can be called `{name}`")


def _refuse(context: Context, subject: str, origin: Origin, reason: str) -> None:
    advice = f"or close the network otherwise, and say so with `--option {NETWORK}=none`"
    context.findings.unsupported(subject, origin, NotExpressibleError(Feature.SELECTORS, reason, advice))


def _tell_overlaps(context: Context, workloads: Mapping[Workload, Origin]) -> None:
    """MP703 where the labels of one workload select the pods of another, which would be as open as both."""
    for one, there in workloads.items():
        for other, here in workloads.items():
            is_selected = one.namespace == other.namespace and set(one.labels) <= set(other.labels)
            if one is not other and is_selected:
                context.findings.diagnostics.append(_overlap(one, other, here, there))


def _overlap(one: Workload, other: Workload, here: Origin, there: Origin) -> Diagnostic:
    return Diagnostic(
        code="MP703",
        severity=Severity.ERROR,
        message=f"in Kubernetes the ports of `{one.name}` would be open at `{other.name}` too: its labels select both",
        labels=(
            Label(here.span, "has all labels of the other", is_primary=True),
            Label(there.span, "is selected by these labels"),
        ),
        help=f'give one of them a label that the other has not, such as `labels {{ app: "{other.name}" }}`',
        subject=other.name,
        fingerprint=f"app-mesh:overlap:{one.name}:{other.name}",
    )
