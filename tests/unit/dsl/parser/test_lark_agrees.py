"""The grammar as lark itself reads it: whatever lark's own lexer and parser accept, ours reads, as the same symbols."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput
from tests.strategies.documents import documents
from tests.unit.dsl.parser.test_traps import READ, REFUSED

from meshproof.dsl.ast.document import Document
from meshproof.dsl.format import format_document
from meshproof.dsl.parser import parse
from meshproof.dsl.parser.table import grammar_text
from meshproof.dsl.source import SourceFile

GOLDEN = Path(__file__).parents[3] / "golden" / "dsl"
BROKEN = Path(__file__).parents[1] / "broken"
SYNTAX = {"MP101", "MP102", "MP103", "MP104", "MP105", "MP106", "MP108", "MP111", "MP114", "MP115", "MP117", "MP119"}


@cache
def lark() -> Lark:
    return Lark(grammar_text(), parser="lalr", lexer="contextual", start=["document", "line"], propagate_positions=True)


def accepted(text: str) -> Tree[Token] | None:
    try:
        return lark().parse(text, start="document")
    except UnexpectedInput:
        return None


def statements(tree: Tree[Token]) -> list[tuple[int, int]]:
    return [(child.meta.start_pos, child.meta.end_pos) for child in tree.children if isinstance(child, Tree)]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.mesh")), ids=lambda path: path.stem)
def test_whole_policies_have_the_same_statements(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    tree = accepted(text)

    assert tree is not None
    ours = parse(SourceFile(path.name, text)).document.statements
    assert statements(tree) == [(statement.span.start, statement.span.end) for statement in ours]


@given(documents)
def test_what_lark_reads_we_read_with_the_same_statements(document: Document) -> None:
    text = format_document(document)
    tree = accepted(text)
    if tree is not None:
        ours = parse(SourceFile("x.mesh", text)).document.statements
        assert statements(tree) == [(statement.span.start, statement.span.end) for statement in ours]


@pytest.mark.parametrize("text", [text for text, _ in READ.values()], ids=READ)
def test_what_we_read_lark_reads(text: str) -> None:
    assert accepted(text) is not None


@pytest.mark.parametrize(
    "text",
    [text for text, code in REFUSED.values() if code in SYNTAX],
    ids=[name for name, (_, code) in REFUSED.items() if code in SYNTAX],
)
def test_what_our_grammar_refuses_lark_refuses(text: str) -> None:
    assert accepted(text) is None


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.mesh")), ids=lambda path: path.stem)
def test_no_broken_text_that_lark_refuses_is_read(path: Path) -> None:
    text = path.read_bytes().decode()
    parsed = parse(SourceFile(path.name, text))

    assert accepted(text) is not None or not parsed.is_sound
