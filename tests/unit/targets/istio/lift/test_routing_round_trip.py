"""What the golden policies are emitted as, read back: requests are sent to the same places, and done the same to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from tests.strategies.meshes import DAY
from tests.strategies.policy_text import mesh_of
from tests.strategies.requests import NORMAL, random_request

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.ir.decision import RouteOutcome
from meshproof.compiler.ir.entities import External, Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.semantics import decide, route
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.istio.lift.reading import read_istio

GOLDEN = Path("tests/golden/istio")
REQUESTS = 300


def _shown(outcome: RouteOutcome | None) -> object:
    """What can be compared: names of branches, and the order of edits of different headers, are not."""
    if outcome is None:
        return None
    retry, mirror, moved = outcome.retry, outcome.mirror, outcome.redirect
    return (
        sorted(outcome.destinations),
        outcome.path,
        outcome.timeout_ms,
        retry and (retry.attempts, retry.conditions, retry.within_ms),
        mirror and (mirror.target.node, mirror.target.version, mirror.percent),
        sorted(outcome.headers, key=lambda edit: edit.name),
        moved and (moved.status, moved.host, moved.path),
        outcome.answer,
        outcome.rewrite_host,
    )


def _lifted(folder: Path, mesh: Mesh) -> Mesh:
    expected = folder / "expected"
    paths = sorted(expected.rglob("*.yaml"))
    found = read_istio(
        tuple(Artifact(path.relative_to(expected).as_posix(), path.read_bytes()) for path in paths), (), mesh
    )
    assert found.mesh is not None
    assert {one.severity for one in found.diagnostics} <= {Severity.INFO}
    return found.mesh


def _policy(folder: Path) -> Mesh:
    return mesh_of((folder / "in.mesh").read_text(encoding="utf-8"), has_mesh=True)


@pytest.mark.parametrize("name", ["guarded", "page", "relay"])
def test_the_golden_files_send_what_the_golden_policies_send(root: Path, name: str) -> None:
    mesh = _policy(root / GOLDEN / name)
    lifted = _lifted(root / GOLDEN / name, mesh)
    through = {external.via for external in mesh.externals}
    rng = Random(7)  # noqa: S311  reproducible on purpose
    compared = 0
    for _ in range(REQUESTS):
        request = replace(random_request(rng, mesh, NORMAL), day=None)
        node = mesh.node(request.destination)
        # What leaves through a gateway is one destination of the policy and two hops in files. Where nothing is
        # declared a gateway of the language takes nothing, and one of Istio does not listen.
        is_declared = node is not None and any(port.workload == request.port for port in node.ports)
        if (
            isinstance(node, External)
            or request.destination in through
            or (isinstance(node, Gateway) and not is_declared)
        ):
            continue
        compared += 1
        assert _shown(route(lifted, request, DAY)) == _shown(route(mesh, request, DAY)), request
    assert compared > REQUESTS // 20


def test_the_way_out_is_the_policys(root: Path) -> None:
    mesh = _policy(root / GOLDEN / "page")
    lifted = _lifted(root / GOLDEN / "page", mesh)
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    declared = {None, *(one.identity.uri for one in nodes)}
    rng = Random(8)  # noqa: S311  reproducible on purpose
    outcomes: list[bool] = []
    for _ in range(4 * REQUESTS):
        request = replace(random_request(rng, mesh, NORMAL), day=None)
        # Proxies of workloads that the policy does not declare let everything out, whatever it says.
        is_known = request.source.identity in declared
        if is_known and isinstance(mesh.node(request.destination), External) and request.port == 443:
            outcomes.append(decide(mesh, request, DAY).is_allowed)
            assert decide(lifted, request, DAY).is_allowed == outcomes[-1], request
    assert set(outcomes) == {True, False}


def test_names_versions_and_edges_are_the_policys(root: Path) -> None:
    mesh = _policy(root / GOLDEN / "page")
    lifted = _lifted(root / GOLDEN / "page", mesh)
    assert [one.name for one in lifted.externals] == ["stripe"]
    (edge,) = lifted.gateways
    assert (edge.hosts, edge.certificate) == (("shop.example.com",), "shop-example-com")
    assert [(port.number, port.workload) for port in edge.ports] == [(443, 8443)]
