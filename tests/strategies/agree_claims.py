"""Every claim of a small world: the verdict of the solver is that of trying every request."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from tests.strategies.brute import World
from tests.strategies.brute_claims import claim_holds, is_idle

from meshproof.compiler.ir.assertions import Claim, Prove
from meshproof.compiler.verify import Proved, Refuted, Unknown, Verdict, check_claim


def compare_claims(world: World) -> Counter[str]:
    """How many verdicts of each kind there were on each kind of claim, by both names."""
    counts: Counter[str] = Counter()
    for prove in world.mesh.proofs:
        for claim in prove.claims:
            verdict = _compare(world, prove, claim)
            counts[f"{type(claim.statement).__name__} {type(verdict).__name__}"] += 1
    return counts


def _compare(world: World, prove: Prove, claim: Claim) -> Verdict:
    result = check_claim(world.analysis, prove, claim)
    verdict = result.verdict
    if result.empty is not None:
        assert isinstance(verdict, Unknown)
        return verdict
    expected = claim_holds(world, prove, claim.statement)
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
    return verdict
