"""Comments of foreign files: what explains is told, once, and what does not is left."""

from __future__ import annotations

import pytest

from meshproof.compiler.driver.comments import Comments
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.source import SourceFile, Span

PLACE = "<here>"


def told(text: str) -> tuple[str, ...]:
    """What is told about the place of `<here>`."""
    at = text.index(PLACE)
    source = SourceFile("a.yaml", text)
    return Comments({"a.yaml": source})(Origin(Span("a.yaml", at, at + 1)))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("# Only the shop.\na: <here>\n", ("Only the shop.",)),
        (
            "---\n# Above the document.\nkind: X\nspec:\n  # Above the rule.\n  - <here>\n",
            ("Above the document.", "Above the rule."),
        ),
        ("# not this one\n---\na: <here>\n", ()),
        ("# Source: chart/templates/x.yaml\na: <here>\n", ()),
        ("# [START a_region_of_a_page]\na: <here>\n", ()),
        ("# Copyright 2020 somebody\n# more of it\na: <here>\n", ()),
        ("# - namespaces: [old]\na: <here>\n", ()),
        ("# " + "x" * 200 + "\na: <here>\n", ()),
        ("# a\x07b\na: <here>\n", ()),
        ("# far away\n\na: <here>\n", ()),
        ("".join(f"# line {number}\n" for number in range(9)) + "a: <here>\n", ()),
    ],
)
def test_what_explains_is_told(text: str, lines: tuple[str, ...]) -> None:
    assert told(text) == lines


def test_a_comment_is_told_once() -> None:
    source = SourceFile("a.yaml", "# Why.\nspec:\n  - one\n  - two\n")
    comments = Comments({"a.yaml": source})
    places = [Origin(Span("a.yaml", source.text.index(word), source.text.index(word) + 1)) for word in ("one", "two")]
    assert [comments(place) for place in places] == [("Why.",), ()]


def test_what_stands_nowhere_has_no_comment() -> None:
    assert Comments({})(Origin(Span("", 0, 0))) == ()
