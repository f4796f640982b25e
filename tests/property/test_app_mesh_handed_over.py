"""Random policies of which App Mesh can judge a part: the sidecar has the rest, and both together are the policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.meshes import DAY, random_mesh, seeded
from tests.strategies.requests import COMPLETE, random_request
from tests.strategies.worlds import IS_FULL

from meshproof.compiler.backend.companion import handed_over
from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.driver.reading_back import UNPROVED, emitted
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.semantics import MalformedRequest, decide
from meshproof.dsl.diagnostic import Severity
from meshproof.runtime.bundle import load_bundle
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.target import AppMeshTarget

TARGET = AppMeshTarget()
OPTIONS = CompileOptions(
    DAY, (("app-mesh.residue", "native"), ("app-mesh.network", "none")), "hash", require=Judgement.COOPERATIVE
)
BATCHES, POLICIES, REQUESTS = 4, 75 if IS_FULL else 6, 60
PATIENT_MS = 120_000


def _base(rng: Random) -> Mesh:
    """A random mesh without what neither App Mesh nor a sidecar behind it has: gateways, the outside, who is asked."""
    mesh = random_mesh(rng)
    names = {one.name for one in mesh.services}
    issuers = tuple(replace(one, jwks=f"https://{one.name}.example/keys") for one in mesh.issuers)
    rules = tuple(one for one in mesh.rules if all(place.node in names for place in one.destinations))
    return replace(
        mesh,
        gateways=(),
        externals=(),
        aliases=(),
        routes=(),
        issuers=issuers,
        namespaces=tuple(replace(one, is_closed=False) for one in mesh.namespaces),
        rules=tuple(_of_services(mesh, rules)),
    )


def _of_services(mesh: Mesh, rules: tuple[AuthzRule, ...]) -> Iterator[AuthzRule]:
    gateways = {one.name for one in mesh.gateways}
    for rule in rules:
        sources = rule.sources
        if not gateways & {*sources.members, *sources.shared}:
            yield rule


def _compilable(mesh: Mesh) -> tuple[Mesh, AppMeshLowered] | None:
    """The policy without the rules that stop the compile; None if it stops all the same."""
    for _ in range(8):
        lowered = TARGET.lower(mesh, OPTIONS)
        if not has_errors(lowered.diagnostics):
            return mesh, lowered
        blamed = {one.subject for one in lowered.diagnostics if one.severity is Severity.ERROR}
        kept = tuple(one for one in mesh.rules if str(one.id) not in blamed)
        mtls = () if kept == mesh.rules else mesh.mtls
        if (kept, mtls) == (mesh.rules, mesh.mtls):
            return None
        mesh = replace(mesh, rules=kept, mtls=mtls)
    return None


def _drawn(seed: int) -> Iterator[tuple[Random, Mesh, AppMeshLowered]]:
    """Policies of which something is handed over."""
    found = 0
    while found < POLICIES:
        rng, seed = seeded(seed), seed + 1
        drawn = _compilable(_base(rng))
        if drawn is not None and drawn[1].companions:
            found += 1
            yield rng, *drawn


@pytest.mark.parametrize("batch", range(BATCHES))
def test_both_are_proved_and_the_bundle_decides_as_the_policy(batch: int) -> None:
    counts: Counter[object] = Counter()
    for rng, mesh, lowered in _drawn(batch * 1_000_000):
        found = emitted(TARGET, lowered, mesh, OPTIONS, PATIENT_MS)
        assert found.known != UNPROVED, ([one.message for one in found.diagnostics], mesh)
        (bundle,) = (one.content for one in found.artifacts if one.path == "native/policy.json")
        engine, ports = load_bundle(bundle).engine, handed_over(lowered.companions)
        for _ in range(REQUESTS):
            request = random_request(rng, mesh, COMPLETE)
            if (NodeName(str(request.destination)), request.port) not in ports:
                continue
            try:
                wanted = decide(mesh, request, DAY)
            except MalformedRequest:
                continue
            assert engine.decide(request, DAY) == wanted, (mesh, request)
            counts.update([wanted.is_allowed, "asked"])
    assert counts["asked"] >= 10 * POLICIES
    assert counts[True] >= POLICIES
    assert counts[False] >= POLICIES
