"""What a run found, as values that every renderer understands. None of them knows how it will look."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from meshproof.compiler.ir.judgement import Judgement
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from meshproof.compiler.backend.residual import Dial, Residual
    from meshproof.compiler.ir.assertions import Control
    from meshproof.compiler.ir.request import Request
    from meshproof.compiler.report.model_overview import Overview
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import SourceFile, Span


class ClaimVerdict(StrEnum):
    """What is known of a claim."""

    PROVED = "proved"
    REFUTED = "refuted"
    UNKNOWN = "unknown"


class TestOutcome(StrEnum):
    """What became of a line of a test."""

    __test__ = False

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Finding:
    """A diagnostic and the environments in which it was made; none where the policy declares none."""

    diagnostic: Diagnostic
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Assumption:
    """What a proof takes for granted: a clause, and the ports at which it must be so, if it is of ports."""

    text: str
    ports: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """The whole of it."""
        return f"{self.text} at {', '.join(f'`{port}`' for port in self.ports)}" if self.ports else self.text


@dataclass(frozen=True, slots=True)
class SecondOpinion:
    """What other engines, over another encoding, say of a verdict: those that came to it too, and who has no answer.

    A claim is confirmed if some engine came to the verdict at each of its ports; nothing else is claimed of it.
    """

    confirmed_by: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        """Whether the verdict was reached again."""
        return bool(self.confirmed_by)


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """A claim's verdict, the same in all of `environments`.

    `witness` is one request, or one for each hop of a chain, and empty unless refuted. `reason` says why nothing
    is known. `is_waived`: refuted, and accepted by name. `second_opinion` is None where nobody asked for one.
    """

    name: str
    text: str
    span: Span
    verdict: ClaimVerdict
    is_vacuous: bool = False
    assumptions: tuple[Assumption, ...] = ()
    witness: tuple[Request, ...] = ()
    reason: str = ""
    controls: tuple[Control, ...] = ()
    is_waived: bool = False
    environments: tuple[str, ...] = ()
    second_opinion: SecondOpinion | None = None


@dataclass(frozen=True, slots=True)
class TestResult:
    """One line of a test: `expected` and `actual` are outcomes as the language writes them."""

    __test__ = False

    name: str
    text: str
    span: Span
    outcome: TestOutcome
    expected: str
    actual: str
    requests: tuple[Request, ...] = ()
    is_waived: bool = False
    environments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledStanding:
    """What is known of files under a judgement: `verdict` is `equal` or `stricter`.

    `without` names what of the policy is no part of it: callers' own proxies alone keep that.
    """

    judgement: Judgement
    verdict: str
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Files that were written: paths below `folder`, and what is not true of them yet.

    `standings` are those under each judgement, where the target has a choice of them. `residuals` are what the target,
    which people call `title`, does not enforce; `dials` who has to dial another number than the policy says.
    """

    target: str
    folder: str
    files: tuple[str, ...]
    notes: tuple[str, ...] = ()
    environment: str | None = None
    standings: tuple[CompiledStanding, ...] = ()
    title: str = ""
    residuals: tuple[Residual, ...] = ()
    dials: tuple[Dial, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a run has to say.

    `command` is the subcommand. `day` is what "today" was taken to be, None where nothing got that far.
    `environments` are the ones judged. `is_judged` is false if the policy could not be read or resolved, and
    `is_complete` if the run was stopped before its end. `overview` is what manifests allow, if that was asked.
    `identities` names declared identities for people. What is `judgement` cooperative nobody enforces.
    `folder` is where in its repository the policy stands, for formats whose readers know files by that; `version` is
    that of the program.
    """

    command: str
    day: date | None = None
    policy: str = ""
    environments: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    claims: tuple[ClaimResult, ...] = ()
    tests: tuple[TestResult, ...] = ()
    compiled: Compiled | None = None
    overview: Overview | None = None
    is_judged: bool = True
    is_complete: bool = True
    identities: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceFile] = field(default_factory=dict)
    folder: str = ""
    version: str = ""
    judgement: Judgement = Judgement.ENFORCED

    @property
    def summary(self) -> Summary:
        """The counts."""
        counted = [finding.diagnostic for finding in self.findings if not finding.diagnostic.is_waived]
        return Summary(
            errors=sum(diagnostic.severity is Severity.ERROR for diagnostic in counted),
            warnings=sum(diagnostic.severity is Severity.WARNING for diagnostic in counted),
            infos=sum(diagnostic.severity is Severity.INFO for diagnostic in counted),
            waived=sum(finding.diagnostic.is_waived for finding in self.findings),
            proved=sum(claim.verdict is ClaimVerdict.PROVED for claim in self.claims),
            refuted=sum(claim.verdict is ClaimVerdict.REFUTED for claim in self.claims),
            unknown=sum(claim.verdict is ClaimVerdict.UNKNOWN for claim in self.claims),
            passed=sum(test.outcome is TestOutcome.PASSED for test in self.tests),
            failed=sum(test.outcome is TestOutcome.FAILED for test in self.tests),
            undecided=sum(test.outcome is TestOutcome.UNDECIDED for test in self.tests),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of findings by severity (waived ones apart), claims by verdict and test lines by outcome."""

    errors: int
    warnings: int
    infos: int
    waived: int
    proved: int
    refuted: int
    unknown: int
    passed: int
    failed: int
    undecided: int
