"""What reading back costs beside the rest of a compile, and how it grows: lifting the files, and comparing them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial

from benchmarks.case import Case
from benchmarks.fresh import forget
from benchmarks.routed_policy import policy_text

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.backend.target import CompileOptions, Lifted
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import Policy, policy_of_texts
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify.translation import TranslationVerdict
from meshproof.targets.istio.target import IstioTarget

DAY = date(2026, 11, 23)
OPTIONS = CompileOptions(DAY)
TARGET = IstioTarget()


def cases() -> Iterator[Case]:
    """The same for twice as many services, so that the growth is seen."""
    for services in (200, 400):
        policy = policy_of_texts({"bench.mesh": policy_text(services)})
        mesh = policy.meshes[0]
        lowered = TARGET.lower(mesh, OPTIONS)
        files = TARGET.emit(lowered)
        lifted = read_back(TARGET, files, OPTIONS, mesh)
        for title, run in (
            ("check, lower and emit", partial(_written, policy)),
            ("lift what was emitted", partial(read_back, TARGET, files, OPTIONS, mesh)),
            ("compare it with the policy", partial(_compared, mesh, lifted, lowered.losses)),
            ("lift the same files as anybody's", partial(TARGET.lift, files, OPTIONS)),
        ):
            yield Case(f"{services} services: {title}", partial(_afresh, run), rounds=3)


def _afresh(run: Callable[[], object]) -> None:
    """Run without what an earlier case has left."""
    forget()
    run()


def _written(policy: Policy) -> None:
    judge(policy, JudgeOptions(day=DAY))
    TARGET.emit(TARGET.lower(policy.meshes[0], OPTIONS))


def _compared(mesh: Mesh, lifted: Lifted, losses: Sequence[Loss]) -> None:
    found = judgement(mesh, lifted, losses, DAY)
    if found.verdict is not TranslationVerdict.STRICTER:  # for paths that Istio's templates refuse
        raise AssertionError(found.verdict)
