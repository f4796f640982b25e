"""The second encoding, over strings, with z3's own theory and with cvc5, on claims about random policies."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.strategies.claims import with_claims
from tests.strategies.meshes import DAY, TINY, random_mesh, seeded
from tests.strategies.worlds import IS_FULL

from meshproof.compiler.verify import Analysis
from meshproof.compiler.verify.second_opinion import cross_check

POLICIES = 600 if IS_FULL else 60
MILLISECONDS = 1_500


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("batch", range(2))
def test_no_engine_disagrees_about_a_claim(batch: int) -> None:
    pytest.importorskip("cvc5")
    agreed: Counter[str] = Counter()
    confirmed = 0
    for number in range(POLICIES // 2):
        rng = seeded(10_000 * batch + number)
        mesh = with_claims(rng, random_mesh(rng, replace(TINY, rules=5)), 6)
        analysis = Analysis(mesh, DAY)
        for prove in mesh.proofs:
            for claim in prove.claims:
                found = cross_check(analysis, claim.statement, MILLISECONDS)
                agreed.update(who for _, who in found.agreed)
                confirmed += found.is_confirmed
    assert confirmed > POLICIES // 2
    assert min(agreed["cvc5"], agreed["z3 strings"]) > POLICIES
