"""The order of files and of statements in them never matters."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.compiler.ir.serde import digest
from meshproof.compiler.resolve import resolve
from meshproof.dsl.ast.document import Document
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile, Span

TESTS = Path(__file__).parents[1]
POLICIES = sorted((TESTS / "golden/resolve").glob("*/in.mesh"))


@cache
def document(path: Path) -> Document:
    return parse(SourceFile("in.mesh", path.read_text(encoding="utf-8"))).document


@cache
def digests(path: Path) -> tuple[str, ...]:
    return tuple(digest(mesh) for mesh in resolve([document(path)]).meshes)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.parent.name)
@given(data=st.data())
def test_shuffled_statements_in_any_number_of_files_mean_the_same(path: Path, data: st.DataObject) -> None:
    statements = data.draw(st.permutations(document(path).statements))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(statements) - 1), max_size=3)))
    parts = [statements[start:end] for start, end in zip([0, *cuts], [*cuts, len(statements)], strict=True)]
    files = data.draw(st.permutations([f"{number}.mesh" for number in range(len(parts))]))
    documents = [Document(tuple(part), span=Span(file, 0, 0)) for part, file in zip(parts, files, strict=True)]

    resolution = resolve(documents)

    assert digests(path)
    assert tuple(digest(mesh) for mesh in resolution.meshes) == digests(path)
