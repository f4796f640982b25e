"""Sidecar: with closed egress, what a declared service's proxy knows outside. It protects nothing that steps round it.

Inside the cluster it knows everything, as before: who may call is judged at the destination.
"""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.mesh import Egress
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.callers import Call
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.service_entry import home

KIND = "Sidecar"


def sidecars(context: Context, calls: frozenset[Call]) -> Iterator[IstioObject]:
    """One object for each declared service, if egress is closed."""
    if context.mesh.egress is not Egress.CLOSED:
        return
    for service in context.mesh.services:
        hosts = [f"*/*.svc.{context.options.cluster_domain}"]
        for external in context.mesh.externals:
            if Call(service.name, external.name) in calls:
                hosts += [f"{home(context, external)}/{host}" for host in external.hosts]
        spec: Value = {
            "workloadSelector": {"labels": dict(service.labels)},
            "egress": [{"hosts": hosts}],
            "outboundTrafficPolicy": {"mode": "REGISTRY_ONLY"},
        }
        name = context.name(KIND, service.namespace, str(service.name), service.origin)
        yield IstioObject(KIND, service.namespace, name, spec, (Piece(str(service.name)),))
