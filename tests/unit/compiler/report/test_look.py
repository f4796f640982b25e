"""Text as terminals see it: columns, broken lines, and characters that would steer the terminal."""

from __future__ import annotations

import pytest

from meshproof.compiler.report.look import ASCII, UNICODE, Look, Style, harmless, width_of, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\tb", "a    b"),
        ("\x1b[31mred", "\\u{1b}[31mred"),
        ("a\u202eb", "a\\u{202e}b"),
        ("a\u200db", "a\\u{200d}b"),
        ("line\nend", "line\\u{a}end"),
        ("grün 日本", "grün 日本"),
    ],
)
def test_what_steers_a_terminal_is_made_visible(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize(("text", "width"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("ü", 1)])
def test_columns_are_counted_as_a_terminal_does(text: str, width: int) -> None:
    assert width_of(text) == width


def test_text_is_broken_at_blanks_and_indented() -> None:
    assert wrapped("one two three four five six", 24, "    ") == "one two three four\n    five six"


def test_a_word_is_never_broken_and_no_width_breaks_nothing() -> None:
    word = "x" * 60

    assert wrapped(f"a {word} b", 24, "    ") == f"a\n    {word}\n    b"
    assert wrapped(f"a {word} b", None, "    ") == f"a {word} b"


def test_colour_is_put_round_text_alone() -> None:
    assert Look(has_colour=True).paint("x", Style.ERROR) == "\x1b[1;31mx\x1b[0m"
    assert Look(has_colour=True).paint("", Style.ERROR) == ""
    assert Look().paint("x", Style.ERROR) == "x"


def test_the_ascii_glyphs_are_ascii() -> None:
    assert all(getattr(ASCII, name).isascii() for name in ASCII.__slots__)
    assert not all(getattr(UNICODE, name).isascii() for name in UNICODE.__slots__)
