"""Every kind of claim: the verdict of the solver against trying every request of a small world."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from tests.strategies.brute import TooLarge, World
from tests.strategies.brute_claims import claim_holds, is_idle
from tests.strategies.claims import with_claims
from tests.strategies.meshes import DAY, TINY, random_mesh

from meshproof.compiler.ir.assertions import Claim, Prove
from meshproof.compiler.verify import Analysis, ClaimResult, Proved, Refuted, Unknown, check_claim

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
POLICIES = 1200 if IS_FULL else 60
MOST_REQUESTS = 1500
WITH_ROUTES = replace(TINY, rules=5, route_share=0.8)


def _worlds(seed: int, count: int) -> list[World]:
    found: list[World] = []
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    while len(found) < count:
        mesh = with_claims(rng, random_mesh(rng, WITH_ROUTES), 4)
        if not mesh.proofs:
            continue
        try:
            found.append(World(Analysis(mesh, DAY), MOST_REQUESTS))
        except TooLarge:
            continue
    return found


@pytest.mark.parametrize("batch", range(4))
def test_verdict_is_that_of_trying_every_request(batch: int) -> None:
    kinds: Counter[tuple[str, str]] = Counter()
    for world in _worlds(1000 + batch, POLICIES // 4):
        for prove in world.mesh.proofs:
            for claim in prove.claims:
                result = check_claim(world.analysis, prove, claim)
                _compare(world, prove, claim, result)
                kinds[type(claim.statement).__name__, type(result.verdict).__name__] += 1
    assert sum(count for (_, verdict), count in kinds.items() if verdict == "Refuted") > POLICIES // 8
    assert sum(count for (_, verdict), count in kinds.items() if verdict == "Proved") > POLICIES // 8


def _compare(world: World, prove: Prove, claim: Claim, result: ClaimResult) -> None:
    if result.empty is not None:
        assert isinstance(result.verdict, Unknown)
        return
    expected = claim_holds(world, prove, claim.statement)
    verdict = result.verdict
    if expected is None:
        assert isinstance(verdict, Unknown), claim
    elif expected:
        assert isinstance(verdict, Proved), (claim, verdict)
        idle = is_idle(world, claim.statement)
        assert idle is None or result.is_vacuous == idle, claim
    else:
        assert isinstance(verdict, Refuted), (claim, verdict)
        hops = verdict.witness.hops
        assert hops or verdict.witness.note
        assert all(one.destination == other.source for one, other in pairwise(hops))
