"""What the solver is asked about one mesh. Importing this module loads z3: only what solves does so."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from meshproof.compiler.driver.claims import claim_report, refutation, second_opinion
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify import (
    Analysis,
    AnalysisOptions,
    OpinionsDisagree,
    Refuted,
    Unknown,
    check_claim,
    cross_check,
)
from meshproof.compiler.verify.questions import Questions, asked_again

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.check import Check
    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.driver.options import JudgeOptions, Progress
    from meshproof.compiler.ir.assertions import Claim, Prove
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.report.model import ClaimResult, SecondOpinion
    from meshproof.compiler.verify import ClaimResult as Found
    from meshproof.compiler.verify import CrossCheck
    from meshproof.compiler.verify.claim_result import JudgedClaim
    from meshproof.compiler.verify.questions import Question
    from meshproof.compiler.verify.scope import Record
    from meshproof.dsl.diagnostic import Diagnostic


class Solving:
    """The analysis of one mesh, and its claims, each decided once."""

    def __init__(self, mesh: Mesh, options: JudgeOptions, progress: Progress) -> None:
        self._mesh = mesh
        self._options = options
        self._progress = progress
        self._found: dict[int, Found] = {}
        self._second: dict[int, SecondOpinion] = {}
        self._asked: dict[int, tuple[Question, ...]] = {}

    @cached_property
    def analysis(self) -> Analysis:
        """The solver's view of the mesh."""
        return self._analysis()

    def _analysis(self, record: Record | None = None) -> Analysis:
        options = AnalysisOptions(self._options.timeout_ms, self._options.audit_as_enforced)
        return Analysis(self._mesh, self._options.day, options, record)

    @cached_property
    def claims(self) -> tuple[tuple[Prove, Claim], ...]:
        """The claims that were asked for, in the order of the titles."""
        only = self._options.only
        return tuple(
            (prove, claim) for prove in self._mesh.proofs if not only or prove.title in only for claim in prove.claims
        )

    def decide_claims(self) -> Iterator[JudgedClaim]:
        """Every claim with what is known of it; what was decided before is not decided again."""
        for index, (prove, claim) in enumerate(self.claims):
            if index not in self._found:
                self._progress("proving claims", index, len(self.claims))
                found, asked = self._decided(prove, claim)
                if self._options.is_cross_checked and not isinstance(found.verdict, Unknown):
                    second = self._cross_checked(prove, claim)
                    self._second[index] = second_opinion(second)
                    asked += second.questions
                self._asked[index] = asked
                self._found[index] = found
            yield prove, claim, self._found[index]

    def _decided(self, prove: Prove, claim: Claim) -> tuple[Found, tuple[Question, ...]]:
        """The verdict, and what was asked for it if that is recorded: then nothing that others asked is used again."""
        if not self._options.is_recorded:
            return check_claim(self.analysis, prove, claim), ()
        questions = Questions()
        found = check_claim(self._analysis(questions.record), prove, claim)
        return found, tuple(asked_again(one, self._options.timeout_ms) for one in questions.asked)

    def _cross_checked(self, prove: Prove, claim: Claim) -> CrossCheck:
        """What other engines say of the verdict. Raises OpinionsDisagree, which no report survives."""
        try:
            return cross_check(self.analysis, claim.statement, self._options.timeout_ms)
        except OpinionsDisagree as error:
            raise OpinionsDisagree(f"two solvers disagree about `{claim.text}` in `{prove.title}`: {error}") from error

    def known_claims(self) -> Iterator[tuple[ClaimResult, Diagnostic | None]]:
        """What is known so far, as a report has it, each refutation with its finding."""
        for index, (prove, claim) in enumerate(self.claims):
            found = self._found.get(index)
            if found is not None:
                verdict = found.verdict
                finding = (
                    refutation(self.analysis.mesh, prove, claim, verdict.witness)
                    if isinstance(verdict, Refuted)
                    else None
                )
                yield claim_report(prove, claim, found, self._second.get(index)), finding

    def recorded_claims(self) -> Iterator[tuple[ClaimResult, tuple[Question, ...]]]:
        """What is known so far, each claim with the questions that its verdict rests on."""
        for index, (prove, claim) in enumerate(self.claims):
            found = self._found.get(index)
            if found is not None:
                yield claim_report(prove, claim, found, self._second.get(index)), self._asked[index]

    def findings_of(self, check: Check, context: CheckContext) -> tuple[tuple[Diagnostic, ...], str | None]:
        """What a check finds, and why it could not go on if it could not."""
        found: list[Diagnostic] = []
        try:
            found.extend(check.find(context))
        except Undecided as undecided:
            return tuple(found), undecided.reason
        return tuple(found), None
