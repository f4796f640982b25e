"""What a gate waits for at 20,000 rules: reading the text, the rules, the claims, and all checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import partial

from benchmarks.case import Case
from benchmarks.fresh import forget
from benchmarks.large_policy import policy_text

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify import Analysis, check_claim, conflicts, rule_anomalies

DAY = date(2026, 11, 23)


def cases() -> Iterator[Case]:
    """The same for 2,000 rules, so that the growth is seen."""
    for services, rules, goals in ((100, 2_000, (0.3, 0.5)), (800, 20_000, (3.0, 5.0))):
        text = policy_text(services, rules)
        policy = policy_of_texts({"bench.mesh": text})
        mesh = policy.meshes[0]
        rounds = 3 if rules == 2_000 else 1
        for title, run, goal in (
            ("parse and resolve", partial(policy_of_texts, {"bench.mesh": text}), goals[0]),
            ("all claims", partial(_claims, mesh), None),
            ("anomalies of rules", partial(_anomalies, mesh), None),
            ("conflicts", partial(_conflicts, mesh), None),
            ("audit", partial(judge, policy, JudgeOptions(day=DAY)), goals[1]),
        ):
            yield Case(f"{rules:,} rules: {title}", partial(_afresh, run), goal, rounds=rounds)


def _afresh(run: Callable[[], object]) -> None:
    """Run without what an earlier case has left."""
    forget()
    run()


def _claims(mesh: Mesh) -> None:
    analysis = Analysis(mesh, DAY)
    for prove in mesh.proofs:
        for claim in prove.claims:
            check_claim(analysis, prove, claim)


def _anomalies(mesh: Mesh) -> None:
    rule_anomalies(Analysis(mesh, DAY))


def _conflicts(mesh: Mesh) -> None:
    conflicts(Analysis(mesh, DAY))
