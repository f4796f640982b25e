"""Two policies of a port over one request: each side's formula decides every request as the interpreter does there."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from tests.strategies.edits import random_pair
from tests.strategies.meshes import DAY, LIFTED, SMALL, Size, seeded

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import NotModelled, decide, is_well_formed
from meshproof.compiler.smt.formula import Point
from meshproof.compiler.smt.joint_request import joint_request_at
from meshproof.compiler.smt.solver import Limits, Undecided
from meshproof.compiler.smt.view import View
from meshproof.compiler.verify.correspondence import by_name
from meshproof.compiler.verify.semantic_diff import place_of
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.semantic_diff_ports import Sides

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
PAIRS = 1200 if IS_FULL else 24
POINTS = 12


@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
@pytest.mark.parametrize("batch", range(2))
def test_each_side_decides_what_comes_to_it_as_the_interpreter_does(batch: int, size: Size) -> None:
    counts: Counter[object] = Counter()
    for number in range(PAIRS):
        _compare(*random_pair(rng := seeded(batch * 10_000 + number), size), rng.random(), counts)
    assert counts[True] > 3 * PAIRS
    assert counts[False] > 10 * PAIRS
    assert counts["cannot come"] > 0


def _compare(old: Mesh, new: Mesh, seed: float, counts: Counter[object]) -> None:
    correspondence = by_name(old, new)
    sides = Sides(old, new, DAY, correspondence, audits=False)
    about = Comparing((old, new), sides.origins, DAY, correspondence.to_new, Limits(), 40)
    rng = seeded(int(seed * 1e9))
    for pair in sides.every_pair():
        try:
            joint = PortComparison(pair.old, pair.new, place_of(pair.old, pair.new), about).joint
        except Undecided:
            counts["undecided"] += 1
            continue
        allowed = (joint.old.allowed(), joint.new.allowed())
        for _ in range(POINTS):
            point = tuple(rng.randrange(size) if rng.random() < 0.6 else 0 for size in joint.formulas.sizes)
            if all(joint.formulas.holds(axiom, point) for axiom in joint.environment.axioms):
                request = joint_request_at(joint, point)
                holds = [joint.formulas.holds(one, point) for one in allowed]
                _compare_side(joint.old, point, (old, request.old), holds[0], counts)
                _compare_side(joint.new, point, (new, request.new), holds[1], counts)


def _compare_side(
    view: View,
    point: Point,
    side: tuple[Mesh, Request],
    is_allowed: bool,
    counts: Counter[object],
) -> None:
    mesh, request = side
    if not view.formulas.holds(view.can_come, point):
        assert is_well_formed(mesh, request, DAY) is not None
        assert not is_allowed
        counts["cannot come"] += 1
        return
    assert is_well_formed(mesh, request, DAY) is None, request
    try:
        decision = decide(mesh, request, DAY)
    except NotModelled:
        counts["not modelled"] += 1
        return
    assert decision.is_allowed == is_allowed, (request, decision)
    counts[is_allowed] += 1
