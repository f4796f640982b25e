from __future__ import annotations

import pytest

from meshproof.dsl.source import Position, SourceFile, Span


@pytest.mark.parametrize(
    ("offset", "line", "column"),
    [(0, 1, 1), (1, 1, 2), (2, 1, 3), (3, 2, 1), (4, 3, 1), (6, 3, 3), (99, 3, 3), (-5, 1, 1)],
)
def test_a_character_has_a_line_and_a_column(offset: int, line: int, column: int) -> None:
    assert SourceFile("x", "ab\n\ncd").position(offset) == Position(line, column)


def test_columns_count_characters_and_not_bytes() -> None:
    assert SourceFile("x", "é😀x").position(2) == Position(1, 3)


def test_lines_are_without_their_ends() -> None:
    source = SourceFile("x", "ab\r\n\ncd")

    assert [source.line(number) for number in range(5)] == ["", "ab", "", "cd", ""]
    assert source.line_count == 3


def test_an_empty_file_has_one_line() -> None:
    source = SourceFile("x", "")

    assert source.line_count == 1
    assert source.position(0) == Position(1, 1)


def test_sources_are_compared_by_path_and_text() -> None:
    assert SourceFile("x", "a") == SourceFile("x", "a")
    assert SourceFile("x", "a") != SourceFile("y", "a")
    assert SourceFile("x", "a") != SourceFile("x", "b")


def test_a_span_goes_to_the_end_of_another() -> None:
    assert Span("x", 1, 3).to(Span("x", 7, 9)) == Span("x", 1, 9)
