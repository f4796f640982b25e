"""Workloads: what runs, in whose name, on which ports, and whether a proxy of the mesh stands before it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from meshproof.compiler.ir.entities import Gateway, Service, ServicePort
from meshproof.compiler.ir.names import NodeName, Origin, SpiffeId
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.kinds import WORKLOADS, Kind
from meshproof.targets.istio.lift.kube_services import KubePort, KubeService, KubeServices
from meshproof.targets.istio.lift.membership import Membership, membership_of
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.values import items, mapping, mappings, number, pairs, text

DEFAULT_ACCOUNT = "default"
MANAGED = "gateway.istio.io/managed"
"""The label of pods that Istio makes for a `Gateway` of the Gateway API: it says by which controller."""

WAYPOINTS = "istio.io-mesh-controller"
OUTSIDE_DOMAIN = "outside.invalid"

_BY_KUBERNETES = frozenset(
    (
        "pod-template-hash",
        "rollouts-pod-template-hash",
        "controller-revision-hash",
        "pod-template-generation",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "job-name",
        "controller-uid",
        "batch.kubernetes.io/job-name",
        "batch.kubernetes.io/controller-uid",
        "batch.kubernetes.io/job-completion-index",
    )
)
"""Labels that tell apart the pods of one workload, so that no policy can mean them."""


class Role(StrEnum):
    """What the workload's proxy is."""

    SIDECAR = "sidecar"
    GATEWAY = "gateway"
    WAYPOINT = "waypoint"


@dataclass(frozen=True, slots=True)
class Workload:
    """One thing that makes pods, or that a policy speaks of although no file says what makes it (`is_inferred`).

    `labels` are the pods'. `ports` are those of the Services in front of it, by the number at which the pods listen.
    `node` is what is known of it from elsewhere than the files.
    """

    name: NodeName
    namespace: str
    labels: tuple[tuple[str, str], ...]
    account: str
    ports: tuple[ServicePort, ...]
    services: tuple[KubeService, ...]
    membership: Membership
    role: Role
    origin: Origin
    is_inferred: bool = False
    is_account_known: bool = True
    template: MapNode | None = field(default=None, repr=False, compare=False)
    node: Service | Gateway | None = None

    def has_labels(self, wanted: Iterable[tuple[str, str]]) -> bool:
        """Whether the pods have all these labels."""
        return set(wanted) <= set(self.labels)

    def label(self, key: str) -> str | None:
        """The value of a label of the pods."""
        return dict(self.labels).get(key)

    def with_role(self, role: Role) -> Workload:
        """The same workload, whose proxy is something else."""
        return replace(self, role=role)

    def identity(self, trust_domain: str) -> SpiffeId:
        """The identity that the mesh gives it; what is outside of the mesh has none that anyone verifies."""
        if self.node is not None:
            return self.node.identity
        if self.membership is Membership.OUTSIDE:
            return SpiffeId(OUTSIDE_DOMAIN, f"/ns/{self.namespace}/workload/{self.name.rpartition('/')[2]}")
        return SpiffeId.of_account(trust_domain, self.namespace, self.account)


def read_workloads(objects: ObjectIndex, services: KubeServices) -> tuple[Workload, ...]:
    """The workloads among the objects, in the order of the files; what another one made is not counted again."""
    found: dict[NodeName, Workload] = {}
    for one in objects.objects:
        if one.kind not in WORKLOADS:
            continue
        name = _owner_name(one, objects)
        if name is None:
            continue
        workload = _workload(one, name, objects, services)
        earlier = found.get(workload.name)
        if earlier is not None and one.kind is Kind.POD:
            continue  # another pod of the same workload
        if earlier is not None:
            workload = replace(workload, name=NodeName(f"{workload.name}.{one.kind.lower()}"))
        found[workload.name] = workload
    return tuple(found.values())


def _owner_name(one: KubeObject, objects: ObjectIndex) -> str | None:
    """The name of the workload that the object makes; None where what owns the object is read too.

    A pod without its owner at hand stands for its workload, which Istio names in the same way.
    """
    owners = mappings(mapping(one.body.get("metadata")).get("ownerReferences"))
    for owner in owners:
        kind, name = text(owner.get("kind")), text(owner.get("name"))
        if kind is None or name is None:
            continue
        if kind not in set(Kind):
            return name
        if objects.get(Kind(kind), one.namespace, name) is not None:
            return None
        digest = dict(one.labels).get("pod-template-hash")
        if kind == Kind.REPLICA_SET and digest is not None and name.endswith(f"-{digest}"):
            name = name.removesuffix(f"-{digest}")
            return None if objects.get(Kind.DEPLOYMENT, one.namespace, name) is not None else name
        return name
    return one.name


def _workload(one: KubeObject, name: str, objects: ObjectIndex, services: KubeServices) -> Workload:
    template = _template(one)
    metadata = mapping(template.get("metadata"))
    labels = tuple(pair for pair in pairs(metadata.get("labels")) if pair[0] not in _BY_KUBERNETES)
    spec = mapping(template.get("spec"))
    fronts = services.selecting(one.namespace, labels)
    return Workload(
        name=NodeName(f"{one.namespace}/{name}"),
        namespace=one.namespace,
        labels=labels,
        account=text(spec.get("serviceAccountName")) or text(spec.get("serviceAccount")) or DEFAULT_ACCOUNT,
        ports=ports_behind(fronts, spec),
        services=fronts,
        membership=membership_of(objects, one.namespace, metadata, spec),
        role=_role(metadata, spec),
        origin=one.origin,
        template=template,
    )


def _template(one: KubeObject) -> MapNode:
    """The pod, or the pattern of the pods."""
    match one.kind:
        case Kind.POD:
            return one.body
        case Kind.CRON_JOB:
            return mapping(one.spec.at("jobTemplate", "spec", "template"))
        case _:
            return mapping(one.spec.get("template"))


def _role(metadata: MapNode, spec: MapNode) -> Role:
    labels, annotations = dict(pairs(metadata.get("labels"))), dict(pairs(metadata.get("annotations")))
    if labels.get(MANAGED) == WAYPOINTS:
        return Role.WAYPOINT
    templates = annotations.get("inject.istio.io/templates") or labels.get("inject.istio.io/templates") or ""
    arguments = (
        argument
        for container in mappings(spec.get("containers"))
        for argument in items(container.get("args"))
        if text(argument) == "router"
    )
    is_gateway = "gateway" in templates.split(",") or "gateway.networking.k8s.io/gateway-name" in labels
    return Role.GATEWAY if is_gateway or any(True for _ in arguments) else Role.SIDECAR


def ports_behind(services: tuple[KubeService, ...], spec: MapNode) -> tuple[ServicePort, ...]:
    """The ports of a workload, by the number at which it listens: of two Services the older one says what is spoken.

    A named port is that of a container; where none has it, the Service has no endpoint at the workload.
    """
    named = _named_ports(spec)
    found: dict[int, ServicePort] = {}
    for port in (port for service in services for port in service.ports):
        listening = named.get(port.target) if isinstance(port.target, str) else port.target
        if listening is not None and listening not in found:
            found[listening] = _service_port(port, listening)
    return tuple(found[number_] for number_ in sorted(found))


def _service_port(port: KubePort, listening: int) -> ServicePort:
    return ServicePort(
        name=port.name or f"port-{port.number}",
        protocol=port.spoken.protocol,
        layer=port.spoken.layer,
        number=port.number,
        workload=listening,
        origin=port.origin,
    )


def _named_ports(spec: MapNode) -> dict[str, int]:
    found: dict[str, int] = {}
    containers = (*mappings(spec.get("containers")), *mappings(spec.get("initContainers")))
    for one in (port for container in containers for port in mappings(container.get("ports"))):
        name, listening = text(one.get("name")), number(one.get("containerPort"))
        if name is not None and listening is not None:
            found.setdefault(name, listening)
    return found
