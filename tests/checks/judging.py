"""What one check finds in a policy that is written as text."""

from __future__ import annotations

from datetime import date

from meshproof.compiler.checks.check import Check, Needs
from meshproof.compiler.checks.registry import all_checks
from meshproof.compiler.driver.judge import judge, names_of
from meshproof.compiler.driver.merge import merged_findings
from meshproof.compiler.driver.options import JudgeOptions, silent
from meshproof.compiler.driver.policy import Policy, policy_of_manifests, policy_of_texts
from meshproof.compiler.driver.world import World
from meshproof.compiler.report.diagnostic_text import diagnostic_lines
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import Finding, Report
from meshproof.compiler.report.order import in_order
from meshproof.dsl.diagnostic import Severity

DAY = date(2026, 11, 23)
FILE = "policy.mesh"
MANIFEST = "policy.yaml"
MESH = 'mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'
"""What a policy is given that has no `mesh` block, in a file of its own so that lines keep their numbers."""


def policy_of(text: str, beside: str = "") -> Policy:
    """The policy of a text or of manifests, with `beside` in the language; free of errors of syntax and names."""
    overlay = {FILE: beside} if beside else None
    is_manifest = "apiVersion:" in text
    policy = policy_of_manifests({MANIFEST: text}, overlay=overlay) if is_manifest else _of_language(text + beside)
    wrong = [one.message for one in policy.diagnostics if one.severity is Severity.ERROR]
    assert not wrong, wrong
    return policy


def _of_language(text: str) -> Policy:
    is_whole = any(line.startswith("mesh ") for line in text.splitlines())
    return policy_of_texts({FILE: text} if is_whole else {"mesh.mesh": MESH, FILE: text})


def findings_of(policy: Policy, code: str, day: date = DAY) -> tuple[Finding, ...]:
    """What the check of that code finds, each finding once for all environments that have it.

    The other checks are not run, unless it reads what they find.
    """
    options = JudgeOptions(day=day)
    check = check_of(code)
    if check.needs is Needs.FINDINGS:
        return tuple(one for one in in_order(judge(policy, options).findings) if one.diagnostic.code == code)
    worlds = tuple(World(mesh, policy, options, silent) for mesh in policy.meshes)
    for world in worlds:
        world.others = tuple(other for other in worlds if other is not world)
        world.run_checks((check,))
    found = merged_findings((world.environment, finding) for world in worlds for finding in world.findings)
    return tuple(one for one in in_order(found) if one.diagnostic.code == code)


def lines_of(policy: Policy, findings: tuple[Finding, ...]) -> list[int]:
    """The lines of the policy's text at which the findings are reported, ascending."""
    spans = [finding.diagnostic.primary for finding in findings]
    assert all(span is not None and span.file in {FILE, MANIFEST} for span in spans), spans
    return sorted(policy.sources[span.file].position(span.start).line for span in spans if span is not None)


def rendered(policy: Policy, findings: tuple[Finding, ...]) -> str:
    """The findings as people see them."""
    identities = names_of(policy.meshes)
    report = Report("check", environments=policy.environments, identities=identities, sources=policy.sources)
    look = Look(width=100)
    texts = ["\n".join(diagnostic_lines(finding, report, look)) for finding in findings]
    return "\n\n".join(texts) + "\n" if texts else ""


def codes() -> list[str]:
    """The codes of all checks."""
    return [check.code for check in all_checks()]


def check_of(code: str) -> Check:
    """The check of a code that one has."""
    return next(check for check in all_checks() if check.code == code)
