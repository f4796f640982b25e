"""Requests to all workloads of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from tests.e2e.istio.calls import random_request
from tests.e2e.istio.clusters import ROOT, Cluster, Doc, Pod
from tests.e2e.istio.nearby import aimed
from tests.e2e.istio.scenes import HTTP, SNIFFED, TCP, UNNAMED

from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Request

Port = tuple[int, bool]
SIDECAR: tuple[Port, ...] = (
    (HTTP, False),
    (HTTP, False),
    (HTTP, False),
    (SNIFFED, False),
    (SNIFFED, True),
    (TCP, True),
    (UNNAMED, False),
    (UNNAMED, True),
)
"""Ports, and whether what comes there are connections."""


def specs_at(cluster: Cluster, pod: Pod) -> list[Doc]:
    """The AuthorizationPolicies that may be about a workload."""
    near = {pod.namespace, ROOT}
    return [
        one["spec"]
        for one in cluster.istio
        if one["kind"] == "AuthorizationPolicy" and one["metadata"]["namespace"] in near
    ]


def requests_to(
    draw: Random, cluster: Cluster, ports: Sequence[Port] = SIDECAR, *, each: int
) -> Iterator[tuple[Pod, Request]]:
    """So many to each workload, near to what its policies speak of."""
    for pod in cluster.pods:
        specs = specs_at(cluster, pod)
        for _ in range(each):
            port, is_tcp = draw.choice(ports)
            near = aimed(draw, specs)
            yield pod, random_request(draw, near, NodeName(pod.node), port, is_tcp=is_tcp, address=pod.address)
