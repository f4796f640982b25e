"""What is emitted for Istio lets through what the policy allows: all of it, but for listed losses, and no more."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.istio_reading import Doc, Reading, read, seen_by
from tests.strategies.meshes import DAY, random_mesh
from tests.strategies.requests import NORMAL, random_request

from meshproof.compiler.backend.target import CompileOptions, has_errors
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.entities import External, Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.semantics.decide import decide
from meshproof.compiler.semantics.handshake import canonical_identity
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

OPTIONS = CompileOptions(
    DAY,
    (("istio.path-normalization", "DECODE_AND_MERGE_SLASHES"), ("istio.custom-providers", "many")),
    "hash",
)
SEEDS = 2000 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 150
REQUESTS = 30


def compilable(mesh: Mesh) -> tuple[Mesh, IstioLowered] | None:
    """The mesh without routes and without the rules that Istio cannot express; None if that is not all."""
    mesh = replace(mesh, routes=())
    for _ in range(4):
        lowered = TARGET.lower(mesh, OPTIONS)
        if not has_errors(lowered.diagnostics):
            return mesh, lowered
        blamed = {one.subject for one in lowered.diagnostics if one.severity is Severity.ERROR}
        blamed |= {loss.subject for loss in lowered.losses if loss.direction != "stricter"}
        rules = tuple(rule for rule in mesh.rules if rule.id not in blamed)
        if rules == mesh.rules:
            return None
        mesh = replace(mesh, rules=rules)
    return None


def decided(mesh: Mesh, docs: list[Doc], request: Request) -> tuple[bool, bool] | None:
    """What the policy and what the files say, None for what they are not compared on."""
    node = mesh.node(request.destination)
    if node is None or isinstance(node, External) or request.day is not None:
        return None
    if isinstance(node, Gateway) and request.source.identity is not None:
        return None  # at a gateway nobody has an identity
    if request.method == "CONNECT" or request.sni == "":
        return None  # Envoy has no route for the one, and no TLS client sends the other
    path = ""
    if request.protocol is not RequestProtocol.TCP:
        normal = normalize(request.path or "/")
        if not isinstance(normal, NormalPath):
            return None
        path = normal.text
    reading = Reading(mesh, docs, node.namespace, dict(node.labels), isinstance(node, Gateway))
    gateways = {gateway.identity.uri for gateway in mesh.gateways}
    parsed = SpiffeId.parse(request.source.identity or "")
    is_from_gateway = parsed is not None and canonical_identity(mesh, parsed).uri in gateways
    seen = seen_by(reading, request, path, is_from_gateway=is_from_gateway)
    answers = {str(name): is_yes for name, is_yes in request.answers}
    found = seen is not None and reading.is_allowed(seen, answers)
    decision = decide(mesh, request, DAY)
    if decision.is_observed and decision.reason is Reason.TRANSPORT:
        return None  # Envoy ends a handshake with a stranger itself, observed or not
    return decision.is_allowed, found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_files_let_through_what_the_policy_allows(seed: int) -> None:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    ready = compilable(random_mesh(rng))
    if ready is None or not (ready[0].services or ready[0].gateways):
        assert ready is None or not ready[0].rules
        return
    mesh, lowered = ready
    docs = read(TARGET.emit(lowered))
    strict = {loss.subject for loss in lowered.losses}
    for _ in range(REQUESTS):
        request = random_request(rng, mesh, NORMAL)
        outcome = decided(mesh, docs, request)
        if outcome is None:
            continue
        says, lets = outcome
        assert says or not lets, f"looser: {request}"
        lossy = [rule for rule in mesh.rules if rule.id in strict]
        if not any(place.node == request.destination for rule in lossy for place in rule.destinations):
            assert lets or not says, f"stricter without a loss: {request}"


def test_most_of_it_is_compared() -> None:
    """The test above would prove nothing if most meshes were left out, or nothing were ever allowed."""
    compared = allowed = rules = 0
    for seed in range(40):
        rng = Random(seed)  # noqa: S311  reproducible on purpose
        ready = compilable(random_mesh(rng))
        if ready is None:
            continue
        mesh, lowered = ready
        docs = read(TARGET.emit(lowered))
        rules += sum(rule.effect in set(Effect) for rule in mesh.rules)
        for _ in range(10):
            outcome = decided(mesh, docs, random_request(rng, mesh, NORMAL))
            compared += outcome is not None
            allowed += outcome == (True, True)
    assert rules > 30
    assert compared > 50
    assert allowed > 5
