"""Policies of up to 200 rules: every claim and every rule is decided, however their parts were drawn."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from tests.strategies.claims import with_claims
from tests.strategies.meshes import DAY, LARGE, random_mesh, seeded
from tests.strategies.worlds import IS_FULL

from meshproof.compiler.ir.assertions import EveryRequestIsMtls, Statement
from meshproof.compiler.ir.entities import External
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify import Analysis, Unknown, check_claim, conflicts, plaintext_reachable, rule_anomalies
from meshproof.compiler.verify.breadth import rule_breadths
from meshproof.compiler.verify.hazards import rule_hazards

POLICIES = 400 if IS_FULL else 60
CLAIMS = 12


def _mesh(seed: int) -> Mesh:
    rng = seeded(seed)
    mesh = random_mesh(rng, replace(LARGE, services=rng.choice((3, 10, 40))))
    kept = tuple(sorted(rng.sample(mesh.rules, rng.randint(1, len(mesh.rules))), key=lambda rule: rule.id))
    return with_claims(rng, replace(mesh, rules=kept), CLAIMS)


def _is_of_external(mesh: Mesh, statement: Statement) -> bool:
    """Nothing is known of the connection to an external, at any size."""
    return isinstance(statement, EveryRequestIsMtls) and any(
        isinstance(mesh.node(place.node), External) for place in statement.destinations
    )


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(2))
def test_everything_is_decided_of_policies_of_up_to_200_rules(batch: int) -> None:
    verdicts: Counter[str] = Counter()
    for number in range(POLICIES // 2):
        mesh = _mesh(10_000 * batch + number)
        analysis = Analysis(mesh, DAY)
        for prove in mesh.proofs:
            for claim in prove.claims:
                result = check_claim(analysis, prove, claim)
                verdicts[type(result.verdict).__name__] += 1
                if isinstance(result.verdict, Unknown):
                    assert result.empty or _is_of_external(mesh, claim.statement), (number, claim, result.verdict)
        for question in (rule_anomalies, conflicts, rule_breadths, rule_hazards):
            assert not question(analysis).undecided
        assert all(one.witness.is_minimal for one in plaintext_reachable(analysis))
    assert verdicts["Proved"] > POLICIES
    assert verdicts["Refuted"] > POLICIES
