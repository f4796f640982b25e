"""What the golden policies are emitted as, read back: the same decisions, for requests in normal form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.strategies.meshes import DAY
from tests.strategies.policy_text import mesh_of
from tests.strategies.requests import NORMAL, random_request

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.semantics import decide
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.istio.lift.reading import read_istio

GOLDEN = Path("tests/golden/istio")
REQUESTS = 400


def _files(root: Path) -> tuple[Artifact, ...]:
    expected = root / "expected"
    found = sorted(path for path in expected.rglob("*.yaml"))
    return tuple(Artifact(path.relative_to(expected).as_posix(), path.read_bytes()) for path in found)


def _lifted(root: Path, mesh: Mesh) -> Mesh:
    found = read_istio(_files(root), (), mesh)
    assert found.mesh is not None
    assert {one.severity for one in found.diagnostics} <= {Severity.INFO}
    return found.mesh


@pytest.mark.parametrize("name", ["guarded", "page", "relay"])
def test_the_golden_files_mean_the_golden_policies(root: Path, name: str) -> None:
    folder = root / GOLDEN / name
    mesh = mesh_of((folder / "in.mesh").read_text(encoding="utf-8"), has_mesh=True)
    lifted = _lifted(folder, mesh)
    rng = Random(11)  # noqa: S311  reproducible on purpose
    outcomes: list[bool] = []
    for _ in range(REQUESTS):
        request = replace(random_request(rng, mesh, NORMAL), day=None)
        is_foreign = "partner.example" in (request.source.identity or "")
        node = mesh.node(request.destination)
        if is_foreign or isinstance(node, External):
            continue  # foreign authorities are not in emitted files; an external is judged by routes
        says = decide(mesh, request, DAY)
        if says.is_observed:
            continue
        outcomes.append(says.is_allowed)
        assert decide(lifted, request, DAY).is_allowed == says.is_allowed, request
    assert len(outcomes) > REQUESTS // 20
    assert name == "relay" or outcomes.count(True) > REQUESTS // 20


def test_without_the_policy_the_workloads_are_those_that_the_files_name(root: Path) -> None:
    found = read_istio(_files(root / GOLDEN / "guarded"))
    assert found.mesh is not None
    assert [node.name for node in found.mesh.nodes] == ["app/api", "app/new", "app/web"]
    assert all(workload.is_inferred for workload in found.context.workloads)
