"""Whole policies: the tree that is read, and the layout that they are in."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.golden.dsl.dump import dump

from meshproof.dsl.format import format_document, format_source
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile
from meshproof.dsl.visitor import walk

POLICIES = sorted(Path(__file__).parent.glob("*.mesh"))


def read(path: Path) -> SourceFile:
    return SourceFile(path.name, path.read_text(encoding="utf-8"))


def test_the_policies_are_there() -> None:
    assert len(POLICIES) >= 8


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_the_tree_is_what_is_expected(path: Path, *, update_golden: bool) -> None:
    source = read(path)
    parsed = parse(source)

    tree = dump(parsed.document, source)

    expected = path.with_suffix(".tree")
    if update_golden:
        expected.write_text(tree, encoding="utf-8")
    assert parsed.diagnostics == ()
    assert tree == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_it_is_laid_out_as_the_formatter_would(path: Path) -> None:
    assert format_source(read(path)).text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_tree_without_places_is_written_and_read_back(path: Path) -> None:
    document = parse(read(path)).document

    text = format_document(document)

    again = parse(SourceFile(path.name, text))
    assert again.diagnostics == ()
    assert again.document == document
    assert format_source(SourceFile(path.name, text)).text == text


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_every_place_holds_what_it_is_the_place_of(path: Path) -> None:
    source = read(path)
    for statement in parse(source).document.statements:
        for node in walk(statement):
            if node.span.file:
                assert statement.span.start <= node.span.start <= node.span.end <= statement.span.end
                written = source.text[node.span.start : node.span.end]
                assert written == written.strip()
