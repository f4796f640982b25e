"""Random policies, compiled to Istio, rendered as istiod would, judged by the real Envoy: it lets through what the
policy allows, and nothing else.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.e2e.envoy.meshes import Fleet, from_loopback, on_loopback
from tests.e2e.envoy.stage import DECODING, Play, Stage, compilable
from tests.e2e.envoy.traffic import Sender
from tests.strategies.meshes import random_mesh
from tests.strategies.requests import COMPLETE, random_request

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.entities import External, Gateway, Protocol
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request, RequestProtocol

pytestmark = pytest.mark.e2e

MESHES = 400 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 80
REQUESTS = 120


def sendable(mesh: Mesh, request: Request) -> Request | None:
    """The request as far as a client can send it; None for what Envoy is not asked about.

    Sockets have no IPv6 address here. Only a test names a day. At a gateway nobody has an identity. Envoy has no route
    for CONNECT. Nobody answers for authorizers about connections.
    """
    node = mesh.node(request.destination)
    if node is None or isinstance(node, External) or request.method == "CONNECT" or request.day is not None:
        return None
    port = next((one for one in node.ports if one.workload == request.port), None)
    if port is None or ":" in (request.source.ip or ""):
        return None
    request = from_loopback(request)
    is_tcp = request.protocol is RequestProtocol.TCP
    if is_tcp and any(rule.effect is Effect.ASK for rule in mesh.rules):
        return None
    if isinstance(node, Gateway):
        is_tls = port.protocol is Protocol.HTTPS
        sni = node.hosts[0].replace("*", "x") if is_tls else None
        return None if request.source.identity is not None else replace(request, sni=sni)
    is_name = request.sni is not None and all(0 < len(label) < 64 for label in request.sni.split("."))
    return replace(request, sni=request.sni if is_name and request.source.identity is not None else None)


@pytest.mark.parametrize("mode", [DECODING, "BASE"])
def test_envoy_lets_through_what_the_policy_allows(mode: str, fleet: Fleet, sender: Sender, tmp_path: Path) -> None:
    stage, plays, seed = Stage(fleet, sender), list[Play](), 0
    while len(plays) < MESHES // 2:
        seed += 1
        mesh = on_loopback(random_mesh(Random(f"{mode} {seed}")))  # noqa: S311  reproducible on purpose
        client_ca = "ca" if seed % 2 else None
        mesh = replace(mesh, gateways=tuple(replace(one, client_ca=client_ca) for one in mesh.gateways))
        if found := compilable(mesh, mode):
            plays.append(stage.add(*found))
    with stage.open(tmp_path):
        for play in plays:
            rng = Random(play.number)  # noqa: S311  reproducible on purpose
            for _ in range(REQUESTS):
                request = sendable(play.mesh, random_request(rng, play.mesh, COMPLETE))
                if request is not None:
                    stage.send(play, request)
    assert stage.counts["sent"] > MESHES * REQUESTS // 6, stage.counts
    for outcome in ("rule True", "rule False", "default False", "transport False", "token False", "path False"):
        assert stage.counts[outcome] > 10, stage.counts
