"""Questions that someone asks about a policy on the command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from meshproof.compiler.resolve import resolve_claims, resolve_tests
from meshproof.dsl.ast.claims import Claim, Prove
from meshproof.dsl.ast.tests import Case, Suite
from meshproof.dsl.ast.values import Name, Text
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse_line
from meshproof.dsl.problems import found
from meshproof.dsl.source import SourceFile, Span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from meshproof.compiler.driver.policy import Policy
    from meshproof.compiler.ir.assertions import Statement
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.diagnostic import Diagnostic

PLACE = "<query>"


@dataclass(frozen=True, slots=True)
class Question:
    """A claim or a test line, put to every mesh of a policy; with errors the policy has no mesh left."""

    policy: Policy
    source: SourceFile

    @property
    def is_sound(self) -> bool:
        """Whether it could be read."""
        return self.policy.is_judgeable


def asked(policy: Policy, text: str) -> Question:
    """The policy with this question in the place of its claims and tests."""
    source = SourceFile(PLACE, text)
    parsed = parse_line(source)
    line = parsed.line
    if not isinstance(line, Claim | Case):
        return _refused(policy, source, parsed.diagnostics or (_no_question(source),))
    meshes: list[Mesh] = []
    problems: dict[Diagnostic, None] = {}
    for mesh in policy.meshes:
        resolved, diagnostics = _resolved(line, text, mesh)
        problems.update(dict.fromkeys(one for one in diagnostics if one.severity is Severity.ERROR))
        if resolved is not None:
            meshes.append(resolved)
    if problems:
        return _refused(policy, source, tuple(problems))
    sources = {**policy.sources, PLACE: source}
    return Question(replace(policy, meshes=tuple(meshes), sources=sources, diagnostics=()), source)


def statement_of(question: Question) -> Statement:
    """The claim of a question that is one, in the first mesh."""
    return question.policy.meshes[0].proofs[0].claims[0].statement


def _resolved(line: Claim | Case, title: str, mesh: Mesh) -> tuple[Mesh | None, tuple[Diagnostic, ...]]:
    bare = replace(mesh, proofs=(), tests=(), waivers=())
    if isinstance(line, Case):
        block, diagnostics = resolve_tests(Suite(Name(title), (line,), span=line.span), mesh)
        return None if block is None else replace(bare, tests=(block,)), diagnostics
    prove, diagnostics = resolve_claims(Prove(Text(title), claims=(line,), span=line.span), mesh)
    return None if prove is None else replace(bare, proofs=(prove,)), diagnostics


def _refused(policy: Policy, source: SourceFile, diagnostics: Sequence[Diagnostic]) -> Question:
    return Question(
        replace(policy, meshes=(), sources={**policy.sources, PLACE: source}, diagnostics=tuple(diagnostics)), source
    )


def _no_question(source: SourceFile) -> Diagnostic:
    message = "the line is no claim, and no test line with an outcome"
    advice = "add `=> allow` or `=> deny`, or ask `meshproof why`"
    return found("MP101", message, Span(PLACE, 0, len(source.text)), help=advice)
