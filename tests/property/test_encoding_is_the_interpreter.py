"""The solver's formula of a port and the interpreter, read independently, decide every request alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.abstraction import point_of
from tests.strategies.meshes import DAY, LIFTED, SMALL, Size, random_mesh
from tests.strategies.requests import COMPLETE, NORMAL, random_request
from tests.strategies.worlds import IS_FULL

from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.mesh import Mesh, PathMode
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.semantics import NotModelled, decide, facts_of, is_well_formed, passes_transport, route
from meshproof.compiler.smt.concretize import request_at
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import Point
from meshproof.compiler.smt.region import Admitted, Allowed, Taken
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify import Analysis

POLICIES = 2400 if IS_FULL else 240
BATCHES = 4
REQUESTS = 12
LEAST_PAIRS = 8 * POLICIES // BATCHES


def _meshes(seed: int, size: Size) -> Iterator[tuple[Random, Mesh, Analysis]]:
    for number in range(POLICIES // BATCHES // 2):
        rng = Random(seed * 100_000 + number)  # noqa: S311  reproducible on purpose
        mesh = random_mesh(rng, size)
        yield rng, mesh, Analysis(mesh, DAY)


def _encodings(analysis: Analysis) -> Iterator[Encoding]:
    for key in analysis.keys:
        try:
            yield analysis.scope(key).encoding(Allowed())
        except Undecided:
            assert any(rule.layer or rule.origin for rule in analysis.mesh.rules)


def _random_point(rng: Random, encoding: Encoding) -> Point | None:
    formulas = encoding.environment.formulas
    point = tuple(rng.randrange(size) if rng.random() < 0.6 else 0 for size in formulas.sizes)
    return point if all(formulas.holds(axiom, point) for axiom in encoding.environment.axioms) else None


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
def test_every_point_is_decided_as_its_request(batch: int, size: Size) -> None:
    counts: Counter[str] = Counter()
    for rng, mesh, analysis in _meshes(batch, size):
        for encoding in _encodings(analysis):
            for _ in range(3):
                point = _random_point(rng, encoding)
                if point is not None:
                    _compare_point(mesh, encoding, point, counts)
    assert counts["pairs"] >= LEAST_PAIRS
    assert counts["allowed"] > counts["pairs"] // 20


def _compare_point(mesh: Mesh, encoding: Encoding, point: Point, counts: Counter[str]) -> None:
    formulas = encoding.environment.formulas
    request = request_at(encoding.environment, point)
    assert is_well_formed(mesh, request, DAY) is None
    assert passes_transport(mesh, request, DAY) == formulas.holds(encoding.formula(Admitted()), point)
    try:
        decision = decide(mesh, request, DAY)
    except NotModelled:
        assert encoding.environment.opaques
        return
    assert decision.is_allowed == formulas.holds(encoding.formula(Allowed()), point), (mesh, request)
    counts.update(pairs=1, allowed=int(decision.is_allowed))
    _compare_route(mesh, encoding, point)


def _compare_route(mesh: Mesh, encoding: Encoding, point: Point) -> None:
    formulas = encoding.environment.formulas
    request = request_at(encoding.environment, point)
    try:
        outcome = route(mesh, request, DAY)
    except NotModelled:
        return
    assert (outcome is None) == formulas.holds(encoding.formula(Taken(None)), point)
    if outcome is not None and outcome.branch is not None:
        assert formulas.holds(encoding.formula(Taken(outcome.branch)), point)


@pytest.mark.parametrize("batch", range(BATCHES))
@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
def test_every_request_has_a_point_that_is_decided_like_it(batch: int, size: Size) -> None:
    counts: Counter[str] = Counter()
    for rng, mesh, analysis in _meshes(batch + BATCHES, size):
        encodings = {(one.policy.key.node, one.policy.key.port): one for one in _encodings(analysis)}
        for _ in range(REQUESTS):
            _compare_request(rng, mesh, encodings, counts)
    assert counts["pairs"] >= LEAST_PAIRS // 2


def _compare_request(
    rng: Random, mesh: Mesh, encodings: dict[tuple[NodeName, int], Encoding], counts: Counter[str]
) -> None:
    # Whatever a proxy of Istio makes of a path is in the encoding; of the language's paths the normal ones are.
    shape = NORMAL if mesh.paths is PathMode.LANGUAGE else COMPLETE
    request = replace(random_request(rng, mesh, shape), day=None)
    encoding = encodings.get((request.destination, request.port))
    if encoding is None or is_well_formed(mesh, request, DAY) is not None:
        return
    try:
        decision = decide(mesh, request, DAY)
    except NotModelled:
        return
    facts = facts_of(mesh, request, DAY)
    point = point_of(encoding.environment, mesh, request, facts)
    if point is None or facts.is_path_refused or decision.reason is Reason.TOKEN:
        return
    formulas = encoding.environment.formulas
    if not all(formulas.holds(axiom, point) for axiom in encoding.environment.axioms):
        # An identity where no TLS is taken: the solver knows no such request, so none may be let through.
        assert mesh.is_lifted, (mesh, request)
        assert decision == Decision(is_allowed=False, reason=Reason.TRANSPORT), (mesh, request)
        return
    assert decision.is_allowed == formulas.holds(encoding.formula(Allowed()), point), (mesh, request)
    counts.update(pairs=1)
