"""What is written is read back the same, and writing it again changes nothing."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.documents import documents

from meshproof.dsl.ast.document import Document
from meshproof.dsl.format import format_document, format_source
from meshproof.dsl.parser import parse
from meshproof.dsl.parser.lexer import pieces
from meshproof.dsl.source import SourceFile


def read(text: str) -> Document:
    parsed = parse(SourceFile("x.mesh", text))
    assert parsed.diagnostics == (), text
    return parsed.document


def comments(document: Document) -> Counter[str]:
    return Counter(comment.text.strip() for comment in document.comments)


@given(documents)
def test_a_tree_is_written_and_read_back(document: Document) -> None:
    text = format_document(document)

    assert read(text) == document
    assert format_source(SourceFile("x.mesh", text)).text == text


@given(documents, st.data())
def test_comments_and_blank_lines_anywhere_change_no_tree_and_no_comment_is_lost(
    document: Document, data: st.DataObject
) -> None:
    text = commented(format_document(document), data)
    before = read(text)

    formatted = format_source(SourceFile("x.mesh", text)).text

    assert formatted is not None
    after = read(formatted)
    assert before == after == document
    assert comments(after) == comments(before)
    assert format_source(SourceFile("x.mesh", formatted)).text == formatted


def commented(text: str, data: st.DataObject) -> str:
    """The text with comments and blank lines between some of its words."""
    gaps = [0, *(piece.end for piece in pieces(text, 0) if text[piece.end : piece.end + 1].isspace())]
    chosen = data.draw(st.lists(st.sampled_from(gaps), unique=True, max_size=6).map(sorted))
    for number, gap in reversed(list(enumerate(chosen))):
        before, after = data.draw(st.sampled_from([(" ", "\n"), ("\n", "\n"), ("\n\n\n", "\n\n"), ("", "\n  ")]))
        text = f"{text[:gap]}{before}# comment {number}{after}{text[gap:]}"
    return text
