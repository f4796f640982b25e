"""Random routes, rendered as istiod would: Envoy sends requests where the policy says, with the path that it says."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.e2e.envoy.meshes import Fleet
from tests.e2e.envoy.scenes import RouteStage
from tests.e2e.envoy.stage import options
from tests.e2e.envoy.traffic import Sender as Client
from tests.strategies.meshes import Size, random_mesh

from meshproof.compiler.backend.target import has_errors
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.routing import Route
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

pytestmark = pytest.mark.e2e

MESHES = 300 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 40
REQUESTS = 15
ROUTED = Size(rules=1, externals=0, route_share=1.0)


def compilable(mesh: Mesh) -> tuple[Mesh, IstioLowered] | None:
    """The mesh without rules and modes of mTLS, and without the branches that Istio cannot express."""
    mesh = replace(mesh, rules=(), mtls=())
    for _ in range(6):
        lowered = TARGET.lower(mesh, options())
        if not has_errors(lowered.diagnostics):
            return mesh, lowered
        blamed = {str(one.subject) for one in lowered.diagnostics if one.severity is Severity.ERROR}
        routes = tuple(_without(one, blamed) for one in mesh.routes)
        left = tuple(one for one in routes if one.branches)
        if left == mesh.routes:
            return None
        mesh = replace(mesh, routes=left)
    return None


def _without(one: Route, blamed: set[str]) -> Route:
    return replace(one, branches=tuple(branch for branch in one.branches if branch.id not in blamed))


def test_envoy_sends_requests_where_the_policy_says(fleet: Fleet, sender: Client, tmp_path: Path) -> None:
    stage, seed = RouteStage(fleet, sender), 0
    while stage.count < MESHES:
        seed += 1
        found = compilable(random_mesh(Random(f"routes {seed}"), ROUTED))  # noqa: S311  reproducible on purpose
        if found is not None and found[0].routes:
            stage.add(*found)
    with stage.open(tmp_path):
        for index, scene in enumerate(stage.scenes):
            rng = Random(index)  # noqa: S311  reproducible on purpose
            for _ in range(REQUESTS):
                stage.send(scene, scene.random_request(rng))
    counts = Counter(reply.status for reply in stage.replies)
    assert min(counts[200], counts[404], counts[302]) > 20, counts
