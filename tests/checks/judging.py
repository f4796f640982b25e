"""What one check finds in a policy that is written as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

from meshproof.compiler.checks.check import Check, Needs
from meshproof.compiler.checks.context import CheckContext
from meshproof.compiler.checks.registry import all_checks
from meshproof.compiler.driver.merge import merged_findings
from meshproof.compiler.driver.policy import Policy, policy_of_texts
from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.report.diagnostic_text import diagnostic_lines
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import Finding, Report
from meshproof.compiler.report.order import in_order
from meshproof.compiler.verify.analysis import Analysis
from meshproof.dsl.diagnostic import Diagnostic, Severity

DAY = date(2026, 11, 23)
FILE = "policy.mesh"
MESH = 'mesh shop { language 1  trust-domain "cluster.local"  namespace shop  mtls strict  egress closed }\n'
"""What a policy is given that has no `mesh` block, in a file of its own so that lines keep their numbers."""


def policy_of(text: str) -> Policy:
    """The policy of a text; it must be free of errors of syntax and names."""
    is_whole = any(line.startswith("mesh ") for line in text.splitlines())
    policy = policy_of_texts({FILE: text} if is_whole else {"mesh.mesh": MESH, FILE: text})
    wrong = [one.message for one in policy.diagnostics if one.severity is Severity.ERROR]
    assert not wrong, wrong
    return policy


def findings_of(policy: Policy, code: str, day: date = DAY) -> tuple[Finding, ...]:
    """What the check of that code finds, each finding once for all environments that have it."""
    found: list[tuple[str | None, Diagnostic]] = []
    for mesh in policy.meshes:
        found += [(mesh.environment, one) for one in _found(policy, mesh, day, code)]
    return tuple(in_order(merged_findings(found)))


def _found(policy: Policy, mesh: Mesh, day: date, code: str) -> list[Diagnostic]:
    analysis = cache(lambda: Analysis(mesh, day))
    context = CheckContext(mesh, day, policy.documents, policy.sources, analysis)
    check = next(one for one in all_checks() if one.code == code)
    if check.needs is Needs.FINDINGS:
        others = [one for one in all_checks() if one.needs is not Needs.FINDINGS]
        before = [diagnostic for one in others for diagnostic in one.find(context)]
        context = replace(context, findings=tuple(before))
    return list(check.find(context))


def lines_of(policy: Policy, findings: tuple[Finding, ...]) -> list[int]:
    """The lines of the policy's text at which the findings are reported, ascending."""
    spans = [finding.diagnostic.primary for finding in findings]
    assert all(span is not None and span.file == FILE for span in spans), spans
    return sorted(policy.sources[FILE].position(span.start).line for span in spans if span is not None)


def rendered(policy: Policy, findings: tuple[Finding, ...]) -> str:
    """The findings as people see them."""
    nodes = [node for mesh in policy.meshes for node in mesh.nodes if isinstance(node, Service | Gateway)]
    identities = {node.identity.uri: str(node.name) for node in reversed(nodes)}
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
