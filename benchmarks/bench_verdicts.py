"""What one verdict costs, as the 50th and 90th of 100: on the example shop, and on policies of up to 200 rules.

A case runs one claim of the rank that its name says, on an analysis that is made anew, so that encoding its ports is
part of it. With a witness, a refuted claim: the plainest request that shows it, with the fields that decide. The sets
of strings that earlier claims divided into classes are known, as in a run; in the cases named `first` they are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from random import Random
from time import process_time

from benchmarks.case import Case
from benchmarks.fresh import forget
from benchmarks.large_policy import policy_text

from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.ir.assertions import Claim, Prove
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.verify import Analysis, Proved, Refuted, check_claim

DAY = date(2026, 11, 23)
ROOT = Path(__file__).resolve().parent.parent

Question = tuple[Mesh, Prove, Claim]


def cases() -> Iterator[Case]:
    """The cheapest first."""
    shop = _questions(_shop())
    drawn = _questions(_meshes())
    for title, questions in (("the shop", shop), ("10 to 200 rules", drawn)):
        proved = _ranked(questions, Proved, _decide)
        yield Case(f"{title}: proved, p50", partial(_known, *_at(proved, 0.5)), goal=0.005, is_own_time=True)
        yield Case(f"{title}: proved, p90", partial(_known, *_at(proved, 0.9)), is_own_time=True)
        first = _ranked(questions, Proved, _decide_first)
        yield Case(f"{title}: proved first, p50", partial(_decide_first, *_at(first, 0.5)), goal=0.005)
        refuted = _ranked(questions, Refuted, _decide)
        if refuted:
            yield Case(
                f"{title}: refuted with its witness, p50",
                partial(_known, *_at(refuted, 0.5)),
                goal=0.02,
                is_own_time=True,
            )
            yield Case(f"{title}: refuted with its witness, p90", partial(_known, *_at(refuted, 0.9)), is_own_time=True)


def _shop() -> Iterator[Mesh]:
    """The shop as it ships, and with a rule that breaks some of its claims."""
    texts = {path.name: path.read_text() for path in (ROOT / "policies/examples/boutique").glob("*.mesh")}
    for more in ({}, {"more.mesh": 'allow intruder: anyone -> all { because "it is broken on purpose" }'}):
        yield policy_of_texts({**texts, **more}).meshes[0]


def _meshes() -> Iterator[Mesh]:
    for rules in (10, 50, 100, 200):
        yield policy_of_texts({"bench.mesh": policy_text(20, rules)}).meshes[0]


def _questions(meshes: Iterable[Mesh]) -> list[Question]:
    found = [(mesh, prove, claim) for mesh in meshes for prove in mesh.proofs for claim in prove.claims]
    Random(1).shuffle(found)  # noqa: S311  the same order each time
    return found[:100]


def _ranked(
    questions: list[Question], kind: type[Proved | Refuted], decide: Callable[[Mesh, Prove, Claim], object]
) -> list[Question]:
    """Those with a verdict of the kind, the cheapest first, by the best of three runs."""
    ranked = []
    for number, question in enumerate(questions):
        if isinstance(_decide(*question), kind):
            ranked.append((min(_seconds(partial(decide, *question)) for _ in range(3)), number))
    return [questions[number] for _, number in sorted(ranked)]


def _seconds(run: Callable[[], object]) -> float:
    begin = process_time()
    run()
    return process_time() - begin


def _at(ranked: list[Question], share: float) -> Question:
    return ranked[int(len(ranked) * share)]


def _known(mesh: Mesh, prove: Prove, claim: Claim) -> float:
    """What a verdict costs once the classes of its strings are known: other cases forget them."""
    _decide(mesh, prove, claim)
    return _seconds(partial(_decide, mesh, prove, claim))


def _decide_first(mesh: Mesh, prove: Prove, claim: Claim) -> object:
    forget()
    return _decide(mesh, prove, claim)


def _decide(mesh: Mesh, prove: Prove, claim: Claim) -> object:
    return check_claim(Analysis(mesh, DAY), prove, claim).verdict
