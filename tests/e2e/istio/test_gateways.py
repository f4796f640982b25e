"""Gateways of both kinds with random policies: what istiod would push decides as the lifted mesh does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from tests.e2e.istio.asking import requests_to
from tests.e2e.istio.clusters import Cluster
from tests.e2e.istio.comparing import Comparison, mesh_of
from tests.e2e.istio.gateways import HTTP, MUTUAL, classic, kubernetes
from tests.e2e.istio.istiod import Istiod

from meshproof.compiler.ir.request import Peer, Request

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def _possible(request: Request) -> Request:
    """Nobody has an identity without TLS, and all have one, of any domain, where that of the mesh is asked for."""
    identity = request.source.identity
    if request.port != MUTUAL:
        return replace(request, sni=None, source=Peer(None, request.source.ip))
    return replace(request, source=Peer(identity or "spiffe://td1/ns/n1/sa/a", request.source.ip))


@pytest.mark.parametrize(
    ("make", "ports"),
    [(classic, ((HTTP, False), (HTTP, False), (MUTUAL, False))), (kubernetes, ((80, False),))],
    ids=["of Istio", "of the Gateway API"],
)
def test_gateways(
    istiod: Istiod, draw: Random, make: Callable[[Random, int], Cluster], ports: tuple[tuple[int, bool], ...]
) -> None:
    found = Comparison()
    for number in range(40):
        cluster = make(draw, number)
        gateway = next(one for one in mesh_of(cluster).gateways if "front" in one.name)
        asked = (
            (pod, _possible(replace(request, destination=gateway.name)))
            for pod, request in requests_to(draw, cluster, ports, each=60)
        )
        found.compare(cluster, istiod.push(cluster), asked)
    assert found.fault(at_least=1000) is None
