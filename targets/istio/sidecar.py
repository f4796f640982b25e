"""Sidecar: with closed egress, what a declared service's proxy knows outside. It protects nothing that steps round it.

Inside the cluster it knows everything, as before: who may call is judged at the destination.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import External, Service
from meshproof.compiler.ir.mesh import Egress
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.callers import Calls
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.service_entry import home
from meshproof.targets.istio.workloads import first_wrong_day

KIND = "Sidecar"


def sidecars(context: Context, calls: Calls) -> Iterator[IstioObject]:
    """One object for each declared service, if egress is closed."""
    if context.mesh.egress is not Egress.CLOSED:
        return
    for service in context.mesh.services:
        own = calls.by(service.name)
        opened = [one for one in context.mesh.externals if any(call.external == one.name for call in own)]
        _tell_shared_hosts(context, service, opened)
        hosts = [f"*/*.svc.{context.options.cluster_domain}"]
        hosts += [f"{home(context, external)}/{host}" for external in opened for host in external.hosts]
        spec: Value = {
            "workloadSelector": {"labels": dict(service.labels)},
            "egress": [{"hosts": list(dict.fromkeys(hosts))}],
            "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        }
        name = context.name(KIND, service.namespace, str(service.name), service.origin)
        pieces = (Piece(str(service.name)),)
        yield IstioObject(KIND, service.namespace, name, spec, pieces, first_wrong_day(call.until for call in own))


def _tell_shared_hosts(context: Context, service: Service, opened: list[External]) -> None:
    """MP701 where the host of an external that the service may call opens another external, which it may not call.

    What is called through a gateway is judged there, whoever knows of it.
    """
    for one in opened:
        for other in context.mesh.externals:
            if other in opened or other.via is not None or home(context, other) != home(context, one):
                continue
            for shared in (host for host in other.hosts if any(_overlap(host, own) for own in one.hosts)):
                error = NotExpressibleError(
                    Feature.EGRESS_CLOSED,
                    f"a Sidecar opens hosts, and `{service.name}`, which may call `{one.name}`, would reach `{shared}` "
                    "on its ports too",
                    "allow both, or let a gateway judge, with `via`",
                )
                context.findings.unsupported(str(other.name), other.origin, error)


def _overlap(one: str, other: str) -> bool:
    """Whether some host is meant by both; `*.x` is every host below `x`."""
    if one.startswith("*"):
        return other.endswith(one[1:]) or (other.startswith("*") and one.endswith(other[1:]))
    return one == other or (other.startswith("*") and one.endswith(other[1:]))
