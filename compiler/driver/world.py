"""One environment of a policy while it is judged, and what was found about it so far."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Needs
from meshproof.compiler.checks.context import CheckContext
from meshproof.compiler.checks.unmodelled import is_about_object, place_of
from meshproof.compiler.config.keys import Origin
from meshproof.compiler.driver.testing import coverage_findings, failures, results_of_tests
from meshproof.compiler.smt.policy import enforced
from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.checks.check import Check
    from meshproof.compiler.driver.options import JudgeOptions, Progress
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.driver.solving import Solving
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.report.model import ClaimResult, TestResult
    from meshproof.compiler.report.model_overview import OpenGroup
    from meshproof.compiler.verify.analysis import Analysis
    from meshproof.compiler.verify.claim_result import JudgedClaim
    from meshproof.compiler.verify.questions import Question

CHECK_UNDECIDED = "MP606"


class World:
    """A mesh, what is asked of it, and the answers. The solver is loaded when something asks for it first."""

    def __init__(self, mesh: Mesh, policy: Policy, options: JudgeOptions, progress: Progress) -> None:
        self.mesh = enforced(mesh) if options.audit_as_enforced else mesh
        self.tests: tuple[TestResult, ...] = ()
        self.others: tuple[World, ...] = ()
        """The other environments that are judged."""
        self._policy = policy
        self._options = options
        self._progress = progress
        self._found: list[Diagnostic] = []

    @property
    def environment(self) -> str | None:
        """The environment, None where the policy declares none."""
        return self.mesh.environment

    @cached_property
    def solving(self) -> Solving:
        """What the solver knows."""
        from meshproof.compiler.driver.solving import Solving  # noqa: PLC0415  it loads z3

        return Solving(self.mesh, self._options, self._progress)

    @property
    def findings(self) -> tuple[Diagnostic, ...]:
        """What was found so far, refuted claims and failed tests included."""
        refuted = (finding for _, finding in self._known_claims() if finding is not None)
        return (*self._found, *refuted, *failures(self.mesh, self.tests, self._options.day))

    @property
    def claims(self) -> tuple[ClaimResult, ...]:
        """What is known of the claims so far."""
        return tuple(claim for claim, _ in self._known_claims())

    @property
    def recorded_claims(self) -> tuple[tuple[ClaimResult, tuple[Question, ...]], ...]:
        """What is known of the claims so far, each with the questions that its verdict rests on."""
        return tuple(self.solving.recorded_claims()) if "solving" in self.__dict__ else ()

    def run_tests(self) -> None:
        """Decide every line of every test."""
        only = self._options.only
        self.tests = tuple(
            result for result in results_of_tests(self.mesh, self._options.day) if not only or result.name in only
        )
        if self._options.has_coverage:
            self._found += coverage_findings(self.mesh, self._options.day)

    def run_claims(self) -> None:
        """Decide every claim."""
        for _ in self.solving.decide_claims():
            pass

    def run_checks(self, checks: Sequence[Check], everything: tuple[Diagnostic, ...] = ()) -> None:
        """Run checks; `everything` is what all environments had before, for those that read findings."""
        context = self._context(everything)
        applying = [check for check in checks if check.applies_to.takes(self.mesh)]
        for index, check in enumerate(applying):
            self._progress("running checks", index, len(applying))
            self._run_check(check, context)

    def open_groups(self) -> tuple[OpenGroup, ...]:
        """The workloads and gateways by how open they are."""
        from meshproof.compiler.driver.overview import open_groups  # noqa: PLC0415  it loads z3

        return open_groups(self._analysis())

    def _context(self, everything: tuple[Diagnostic, ...] = ()) -> CheckContext:
        return CheckContext(
            mesh=self.mesh,
            day=self._options.day,
            documents=self._policy.documents,
            sources=self._policy.sources,
            analysis=self._analysis,
            claims=self._judged_claims,
            findings=everything,
            elsewhere=lambda: tuple(other._context() for other in self.others),  # noqa: SLF001  its own class
            is_app_mesh=self._policy.origin is Origin.APP_MESH,
        )

    def _run_check(self, check: Check, context: CheckContext) -> None:
        if check.needs is not Needs.SMT:
            self._found += check.find(context)
            return
        found, reason = self.solving.findings_of(check, context)
        self._found += found
        if reason is not None and not is_about_object(self.mesh, reason):
            self._found.append(_undecided(self.mesh, check, reason))

    def _analysis(self) -> Analysis:
        return self.solving.analysis

    def _judged_claims(self) -> tuple[JudgedClaim, ...]:
        return tuple(self.solving.decide_claims())

    def _known_claims(self) -> tuple[tuple[ClaimResult, Diagnostic | None], ...]:
        return tuple(self.solving.known_claims()) if "solving" in self.__dict__ else ()


def _undecided(mesh: Mesh, check: Check, reason: str) -> Diagnostic:
    place = place_of(mesh, reason)
    return Diagnostic(
        code=CHECK_UNDECIDED,
        severity=problem(CHECK_UNDECIDED).severity,
        message=f"the check `{check.name}` could not be decided: {reason}",
        labels=(Label((place or mesh.origin).span, is_primary=True),),
        help="give it more time with `--timeout`" if place is None else "look at what hangs on it by hand",
        fingerprint=check.code,
    )
