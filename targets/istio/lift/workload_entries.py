"""WorkloadEntry objects: machines that are workloads of the mesh without a pod."""

from __future__ import annotations

from meshproof.compiler.ir.names import NodeName
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kube_services import KubeServices
from meshproof.targets.istio.lift.membership import Membership
from meshproof.targets.istio.lift.objects import KubeObject, ObjectIndex
from meshproof.targets.istio.lift.values import EMPTY, pairs, text
from meshproof.targets.istio.lift.workloads import DEFAULT_ACCOUNT, Role, Workload, ports_behind


def read_workload_entries(objects: ObjectIndex, services: KubeServices) -> tuple[Workload, ...]:
    """The workloads: selected by labels as pods are. Whether a proxy runs beside one no file says."""
    return tuple(_workload(one, services) for one in objects.of(Kind.WORKLOAD_ENTRY))


def _workload(one: KubeObject, services: KubeServices) -> Workload:
    labels = pairs(one.spec.get("labels"))
    fronts = tuple(service for service in services.services if service.selects(one.namespace, labels))
    account = text(one.spec.get("serviceAccount"))
    return Workload(
        name=NodeName(one.full_name),
        namespace=one.namespace,
        labels=labels,
        account=account or DEFAULT_ACCOUNT,
        ports=ports_behind(fronts, EMPTY),
        services=fronts,
        membership=Membership.ASSUMED,
        role=Role.SIDECAR,
        origin=one.origin,
        is_account_known=account is not None,
    )
