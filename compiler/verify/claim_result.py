"""What is found out about one claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from meshproof.compiler.ir.assertions import Claim, Prove
from meshproof.compiler.verify.verdict import Premise, Proved, Refuted, Unknown, Verdict


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """The verdict. `is_vacuous`: proved, but nothing could break it.

    `empty` names the set (`sources`, `destinations`, `bypassing`, `zone`) that has nothing in it, which is an error of
    the claim; the verdict is unknown then.
    """

    verdict: Verdict
    is_vacuous: bool = False
    empty: str | None = None

    @property
    def assumptions(self) -> tuple[Premise, ...]:
        """What the proof takes for granted; nothing if there is none."""
        return self.verdict.assumptions if isinstance(self.verdict, Proved) else ()


JudgedClaim: TypeAlias = tuple[Prove, Claim, ClaimResult]
"""A claim, the block that it stands in, and what is known of it."""


@dataclass(frozen=True, slots=True)
class Holds:
    """A claim that holds, before anyone has asked how long it took."""

    premises: tuple[Premise, ...]
    is_vacuous: bool = False


Outcome: TypeAlias = Holds | Refuted | Unknown


def weakest(outcomes: Sequence[Outcome]) -> Outcome:
    """What is known if all of the parts must hold: a refutation before all else, then what is not known."""
    for kind in (Refuted, Unknown):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                return outcome
    holding = [outcome for outcome in outcomes if isinstance(outcome, Holds)]
    premises = dict.fromkeys(premise for outcome in holding for premise in outcome.premises)
    return Holds(tuple(premises), all(outcome.is_vacuous for outcome in holding))
