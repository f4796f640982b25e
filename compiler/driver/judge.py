"""Everything that can be said about a policy: checks, claims and tests, in every environment that was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from meshproof.compiler.checks.check import Needs
from meshproof.compiler.checks.registry import all_checks
from meshproof.compiler.checks.waivable import NEVER_HIDDEN
from meshproof.compiler.driver.collecting import uncollected
from meshproof.compiler.driver.fingerprint import fingerprinted
from meshproof.compiler.driver.merge import merged_claims, merged_findings, merged_tests
from meshproof.compiler.driver.options import JudgeOptions, Part, Progress, silent
from meshproof.compiler.driver.waive import waived_claim, waived_diagnostic, waived_test
from meshproof.compiler.driver.world import World
from meshproof.compiler.report.model import Finding, Report
from meshproof.compiler.report.model_overview import Overview
from meshproof.compiler.report.undecided import UNDECIDED_CODES
from meshproof.dsl.diagnostic import Label, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from meshproof.compiler.checks.check import Check
    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.report.model import ClaimResult
    from meshproof.compiler.verify.questions import Question
    from meshproof.dsl.diagnostic import Diagnostic


class Keep(Protocol):
    """Takes what a verdict rests on."""

    def __call__(self, environment: str | None, claim: ClaimResult, questions: tuple[Question, ...]) -> None:
        """Take note of a claim in an environment, and of what was asked for it."""
        ...


VACUOUS = "MP602"
NOT_MODELLED = "MP713"
_FAST = (Needs.SYNTAX, Needs.MODEL)
_SLOW = (*_FAST, Needs.SMT)


def judge(
    policy: Policy,
    options: JudgeOptions,
    *,
    command: str = "check",
    progress: Progress = silent,
    keep: Keep | None = None,
) -> Report:
    """The report about a policy. Stopped by Ctrl-C, it is what was known until then, marked as not complete.

    `keep` is given each claim with the questions that its verdict rests on, if the options say that they are recorded.
    """
    if not policy.is_judgeable:
        return unjudged(policy, options, command)
    worlds = tuple(World(mesh, policy, options, progress) for mesh in policy.meshes)
    for world in worlds:
        world.others = tuple(other for other in worlds if other is not world)
    with uncollected():
        is_complete = _run(worlds, options)
    findings = _findings(policy, worlds, options, is_complete=is_complete)
    if keep is not None:
        for world in worlds:
            for claim, questions in world.recorded_claims:
                keep(world.environment, waived_claim(claim, world.mesh.waivers, options.day), questions)
    return Report(
        command=command,
        day=options.day,
        policy=policy.name,
        judgement=policy.judgement,
        environments=policy.environments,
        findings=fingerprinted(findings, policy.sources),
        claims=merged_claims(
            (world.environment, waived_claim(claim, world.mesh.waivers, options.day))
            for world in worlds
            for claim in world.claims
        ),
        tests=merged_tests(
            (world.environment, waived_test(test, world.mesh.waivers, options.day))
            for world in worlds
            for test in world.tests
        ),
        overview=_overview(policy, worlds, options) if is_complete else None,
        is_complete=is_complete,
        identities=names_of(policy.meshes),
        sources=policy.sources,
    )


def _overview(policy: Policy, worlds: Sequence[World], options: JudgeOptions) -> Overview | None:
    """What manifests allow, where everything is judged; the language says itself what it allows. None if stopped."""
    if options.is_fast or Part.CHECKS not in options.parts or not all(world.mesh.is_lifted for world in worlds):
        return None
    try:
        return Overview(tuple(group for world in worlds for group in world.open_groups()), policy.skipped)
    except KeyboardInterrupt:
        return None


def unjudged(policy: Policy, options: JudgeOptions, command: str) -> Report:
    """The report about a policy that could not be read or resolved: what is wrong with its text."""
    findings = (Finding(_with_use(diagnostic, policy)) for diagnostic in policy.diagnostics)
    return Report(
        command=command,
        day=options.day,
        findings=fingerprinted(findings, policy.sources),
        is_judged=False,
        sources=policy.sources,
    )


def names_of(meshes: Sequence[Mesh]) -> dict[str, str]:
    """The names of declared callers by their identity: the first one by name where several share it."""
    found: dict[str, str] = {}
    for mesh in meshes:
        callers: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
        for node in sorted(callers, key=lambda node: node.name):
            found.setdefault(node.identity.uri, node.name)
    return found


def _run(worlds: Sequence[World], options: JudgeOptions) -> bool:
    """Judge everything but what needs all other findings; False if it was stopped."""
    checks = _checks(options)
    try:
        for world in worlds:
            if Part.TESTS in options.parts:
                world.run_tests()
            if Part.CLAIMS in options.parts and not options.is_fast:
                world.run_claims()
            world.run_checks(checks)
    except KeyboardInterrupt:
        return False
    return True


def _checks(options: JudgeOptions) -> tuple[Check, ...]:
    """The checks that can be run before all findings are known; of claims alone, those about claims."""
    needs = _FAST if options.is_fast else _SLOW
    checks = tuple(check for check in all_checks() if check.needs in needs)
    if Part.CHECKS in options.parts:
        return checks
    is_about_claims = Part.CLAIMS in options.parts
    return tuple(check for check in checks if is_about_claims and check.concern == "assertions")


def _findings(
    policy: Policy, worlds: Sequence[World], options: JudgeOptions, *, is_complete: bool
) -> tuple[Finding, ...]:
    if is_complete and _is_whole(options):
        everything = tuple(diagnostic for world in worlds for diagnostic in world.findings)
        last = tuple(check for check in all_checks() if check.needs is Needs.FINDINGS)
        for world in worlds:
            world.run_checks(last, everything)
    judged = (
        (
            world.environment,
            waived_diagnostic(_weighed(_with_use(diagnostic, policy), options), world.mesh.waivers, options.day),
        )
        for world in worlds
        for diagnostic in world.findings
    )
    merged = merged_findings(judged)
    waivers = tuple(dict.fromkeys(waiver for world in worlds for waiver in world.mesh.waivers))
    read = tuple(
        Finding(_with_use(waived_diagnostic(one, waivers, options.day), policy))
        for one in _without_notices(policy.diagnostics, merged)
    )
    return tuple(_selected((*read, *merged), options))


def _without_notices(read: Sequence[Diagnostic], found: Sequence[Finding]) -> Iterator[Diagnostic]:
    """What was found while reading, but notices about objects of which another finding says what comes of them."""
    places = {one.diagnostic.primary for one in found if one.diagnostic.code in UNDECIDED_CODES}
    for diagnostic in read:
        if diagnostic.code != NOT_MODELLED or diagnostic.primary not in places:
            yield diagnostic


def _is_whole(options: JudgeOptions) -> bool:
    """Whether everything is judged that there is."""
    return not options.is_fast and not options.only and options.parts == frozenset(Part)


def _weighed(diagnostic: Diagnostic, options: JudgeOptions) -> Diagnostic:
    if options.is_strict and diagnostic.code == VACUOUS:
        return replace(diagnostic, severity=Severity.ERROR)
    return diagnostic


def _with_use(diagnostic: Diagnostic, policy: Policy) -> Diagnostic:
    """The diagnostic with a label at each `use` that brought the file in which it stands."""
    span = diagnostic.primary
    marked = {label.span for label in diagnostic.labels}
    uses = [use for use in (policy.brought.get(span.file, ()) if span else ()) if use not in marked]
    return replace(diagnostic, labels=(*diagnostic.labels, *(Label(use, "used here") for use in uses)))


def _selected(findings: Sequence[Finding], options: JudgeOptions) -> Iterator[Finding]:
    for finding in findings:
        if _is_never_hidden(finding.diagnostic) or _is_asked_for(finding.diagnostic.code, options):
            yield finding


def _is_never_hidden(diagnostic: Diagnostic) -> bool:
    """Whether a gate would pass what it must not if the finding were left out."""
    is_fatal = diagnostic.severity is Severity.ERROR and diagnostic.code.startswith(NEVER_HIDDEN)
    return is_fatal or diagnostic.code in UNDECIDED_CODES


def _is_asked_for(code: str, options: JudgeOptions) -> bool:
    is_ignored = bool(options.ignore) and code.startswith(options.ignore)
    return not is_ignored and (not options.select or code.startswith(options.select))
