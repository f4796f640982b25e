"""What is compiled for App Mesh, held to boto3's client, the control plane, and cfn-lint with our rule pack."""

from __future__ import annotations

import json
import os
from random import Random

import pytest
from tests.e2e.envoy.app_mesh_emitted import ROOMY, TARGET, compilable, options
from tests.strategies.meshes import random_mesh
from tests.unit.policies.test_examples import boutique

pytest.importorskip("boto3", reason="boto3, of the extra `oracles`, is not installed")

from tests.e2e.appmesh.control_plane import ControlPlane
from tests.e2e.appmesh.judging import findings

from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.render.cloudformation import template
from meshproof.targets.appmesh.together import Quotas

pytestmark = pytest.mark.oracle

POLICIES = 400 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 40
RAISED = Quotas(virtual_gateways=50, gateway_routes=100)


def _lint(lowered: AppMeshLowered) -> list[str]:
    api = pytest.importorskip("cfnlint.api", reason="cfn-lint, of the extra `oracles`, is not installed")
    given = api.ManualArgs(
        regions=["us-east-1"],
        ignore_checks=["W3696", "E9605"],
        append_rules=["meshproof.targets.appmesh.cfnlint"],
    )
    return [str(one) for one in api.lint(json.dumps(template(lowered.resources)), config=given)]


@pytest.mark.parametrize("environment", ["dev", "test", "prod"])
@pytest.mark.parametrize("rendering", ["cloudformation", "api", "kubernetes"])
def test_the_example_shop_is_taken_within_the_quotas(environment: str, rendering: str) -> None:
    lowered = TARGET.lower(boutique(environment), options({"app-mesh.rendering": rendering}))
    assert TARGET.emit(lowered)
    assert findings(lowered.resources, lowered.placement, ControlPlane()) == ()
    assert rendering != "cloudformation" or _lint(lowered) == []


def test_random_policies_are_taken() -> None:
    plane = ControlPlane(quotas=RAISED)
    made = (compilable(random_mesh(Random(f"taken {seed}")), ROOMY) for seed in range(POLICIES))  # noqa: S311
    every = [lowered for found in made if found is not None for lowered in (found[1],)]
    assert len(every) > POLICIES // 2
    for lowered in every:
        assert findings(lowered.resources, lowered.placement, plane) == ()
    assert _lint(max(every, key=lambda one: len(one.resources))) == []
