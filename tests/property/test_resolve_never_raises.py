"""Whatever statements come together, there is a mesh or an error, and never anything else."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.resolve import resolve
from meshproof.dsl.ast.document import Document, Statement
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile, Span

POLICIES = sorted((Path(__file__).parents[1] / "golden/resolve").glob("*/in.mesh"))
STATEMENTS: tuple[Statement, ...] = tuple(
    statement
    for path in POLICIES
    for statement in parse(SourceFile(path.parent.name, path.read_text(encoding="utf-8"))).document.statements
)


@given(chosen=st.lists(st.sampled_from(STATEMENTS), max_size=40), both=st.booleans())
def test_mixed_policies_resolve_or_say_why_not(chosen: list[Statement], *, both: bool) -> None:
    mesh = parse(SourceFile("m", 'mesh m { language 1 trust-domain "td" namespace app egress open }')).document
    documents = [Document(tuple(chosen), span=Span("x.mesh", 0, 0)), *([mesh] if both else [])]

    resolution = resolve(documents)

    has_error = any(found.severity is Severity.ERROR for found in resolution.diagnostics)
    assert bool(resolution.meshes) != has_error
    assert all(found.primary is not None for found in resolution.diagnostics)
