"""What is emitted for Istio, read back, is proved to mean what the policy says, but for listed losses."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from tests.property.test_istio_emission import OPTIONS, compilable
from tests.strategies.meshes import DAY, random_mesh
from tests.strategies.worlds import IS_FULL

from meshproof.compiler.backend.target import has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.driver.translating import translation_findings
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

FEW = 10
BATCHES = 8
MANY = 2000 if IS_FULL else 320


def drawn(seed: int) -> tuple[Mesh, IstioLowered] | None:
    """What of a random policy compiles: its rules that can be said, then each of its routes that can.

    Where externals cannot be called through their gateways (one that is observed refuses nothing), senders call them.
    """
    whole = random_mesh(Random(seed))  # noqa: S311  reproducible on purpose
    ready = compilable(whole)
    if ready is None:
        whole = replace(whole, externals=tuple(replace(one, via=None) for one in whole.externals))
        ready = compilable(whole)
    if ready is None:
        return None
    mesh, lowered = ready
    for route in whole.routes:
        more = replace(mesh, routes=(*mesh.routes, route))
        tried_with = TARGET.lower(more, OPTIONS)
        if not has_errors(tried_with.diagnostics):
            mesh, lowered = more, tried_with
    return mesh, lowered


def wrong(mesh: Mesh, lowered: IstioLowered) -> list[str]:
    """What is found of the emitted files, nothing if they are sound."""
    found = judgement(mesh, read_back(TARGET, TARGET.emit(lowered), OPTIONS, mesh), lowered.losses, DAY)
    assert found.is_sound or found.looser or found.unexplained or found.undecided or found.connections
    return [] if found.is_sound else [one.message for one in translation_findings(mesh, found, "Istio")]


def tried(seeds: range) -> tuple[int, dict[int, list[str]]]:
    """How many of the policies compile, and what is wrong with which."""
    found: dict[int, list[str]] = {}
    compiled = 0
    for seed in seeds:
        ready = drawn(seed)
        if ready is None:
            continue
        compiled += 1
        if messages := wrong(*ready):
            found[seed] = messages
    return compiled, found


@pytest.mark.parametrize("seed", range(FEW))
def test_what_is_emitted_means_what_the_policy_says(seed: int) -> None:
    ready = drawn(1_000_000 + seed)
    assert ready is None or wrong(*ready) == []


FOUND = {
    342: "a redirect with a mirror, on every port",
    352: "a service without ports, under observe",
    411: "a route by an expression over hosts",
    529: "a service without ports, in an observed namespace",
    795: "a redirect with a mirror of the same service",
    903: "a route of a service under observe, and ports that it does not declare",
    939: "an external called by a service with an identity of another trust domain",
    992: "a route that takes all, and ports that are not declared",
    1247: "a route of a gateway for a host that is not its own",
    1412: "two externals, and a caller with an identity of its own",
    2331: "a route with a branch that takes nothing",
    2567: "an ask of a gateway for some clients, and a caller that is no gateway",
    2105: "a deny by tokens of what goes through a gateway that reads them",
    1468: "externals, an identity of its own, and a service without ports",
}
"""Seeds that were once unsound, and what of."""


@pytest.mark.parametrize("seed", FOUND, ids=lambda seed: f"{seed}-{FOUND[seed].replace(' ', '-')}")
def test_what_was_wrong_once(seed: int) -> None:
    ready = drawn(seed)
    assert ready is not None
    assert wrong(*ready) == []


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_many_policies_go_there_and_back(batch: int) -> None:
    each = MANY // BATCHES
    compiled, found = tried(range(batch * each, (batch + 1) * each))
    print(f"{compiled} of {each} policies compile")  # noqa: T201  for who wants to know how much that is
    assert found == {}
    assert compiled > each // 2
