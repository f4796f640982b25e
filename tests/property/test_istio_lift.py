"""What is emitted for Istio and read back by the lift decides as the policy does, but for listed losses."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

import pytest
from tests.property.test_istio_emission import OPTIONS, compilable
from tests.strategies.meshes import DAY, random_mesh
from tests.strategies.requests import NORMAL, random_request

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.entities import External, Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import decide, facts_of, is_well_formed
from meshproof.targets.istio import TARGET

SEEDS = 2000 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 40
REQUESTS = 30


def _is_compared(mesh: Mesh, request: Request, says: Decision) -> bool:
    node = mesh.node(request.destination)
    if node is None or isinstance(node, External):
        return False
    if isinstance(node, Gateway) and request.source.identity is not None:
        return False  # at a gateway nobody has an identity
    if facts_of(mesh, request, DAY).is_path_refused or request.sni == "":
        return False  # raw paths are for the check of raw paths; no TLS client sends an empty name
    if says.is_observed and says.reason in {Reason.TRANSPORT, Reason.PATH}:
        return False  # Envoy ends a handshake with a stranger itself, observed or not
    identity = SpiffeId.parse(request.source.identity or "")
    # Whether a foreign domain is trusted is not in the files: it is a matter of certificates.
    return identity is None or identity.trust_domain not in mesh.trusts


def _pairs(seed: int, count: int) -> list[tuple[Mesh, frozenset[str], Request, bool, bool]]:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    ready = compilable(random_mesh(rng))
    if ready is None or not ready[0].nodes:
        return []
    mesh, lowered = ready
    lifted = TARGET.lift(TARGET.emit(lowered), OPTIONS, mesh).mesh
    assert lifted is not None
    found = []
    for _ in range(count):
        request = replace(random_request(rng, mesh, NORMAL), day=None)
        if is_well_formed(mesh, request, DAY) is not None:
            continue  # it was, on its own day
        says = decide(mesh, request, DAY)
        if _is_compared(mesh, request, says):
            lets = decide(lifted, request, DAY)
            strict = frozenset(loss.subject for loss in lowered.losses)
            found.append((mesh, strict, request, says.is_allowed, lets.is_allowed))
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_what_is_read_back_decides_as_the_policy_does(seed: int) -> None:
    for mesh, strict, request, says, lets in _pairs(seed, REQUESTS):
        assert says or not lets, f"looser: {request}"
        lossy = (rule for rule in mesh.rules if rule.id in strict)
        if not any(place.node == request.destination for rule in lossy for place in rule.destinations):
            assert lets or not says, f"stricter without a loss: {request}"


def test_most_of_it_is_compared() -> None:
    """The test above would prove nothing if most meshes were left out, or nothing were ever allowed."""
    outcomes = [(says, lets) for seed in range(60) for *_, says, lets in _pairs(seed, 10)]
    assert len(outcomes) > 100
    assert outcomes.count((True, True)) > 10
