"""What the place that output goes to can show."""

from __future__ import annotations

import io

import pytest

from meshproof.compiler.cli.terminal import has_colour, is_terminal, look_at
from meshproof.compiler.config.keys import Colour
from meshproof.compiler.report.look import ASCII, UNICODE


class Stream(io.StringIO):
    """A stream that is a terminal or not, in an encoding."""

    def __init__(self, *, terminal: bool = False, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the base says None, and streams have one
        return self._encoding


@pytest.mark.parametrize(
    ("colour", "terminal", "variables", "expected"),
    [
        (Colour.AUTO, True, {}, True),
        (Colour.AUTO, False, {}, False),
        (Colour.AUTO, True, {"NO_COLOR": "1"}, False),
        (Colour.AUTO, True, {"NO_COLOR": ""}, True),
        (Colour.AUTO, False, {"FORCE_COLOR": "1"}, True),
        (Colour.AUTO, False, {"FORCE_COLOR": ""}, False),
        (Colour.AUTO, True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (Colour.AUTO, True, {"TERM": "dumb"}, False),
        (Colour.ALWAYS, False, {"NO_COLOR": "1"}, True),
        (Colour.NEVER, True, {"FORCE_COLOR": "1"}, False),
    ],
)
def test_the_flag_wins_then_no_color_then_force_color_then_the_terminal(
    colour: Colour, terminal: bool, variables: dict[str, str], expected: bool
) -> None:
    assert has_colour(Stream(terminal=terminal), colour, variables) is expected


@pytest.mark.parametrize(
    ("columns", "width"),
    [("100", 100), ("10", 40), ("0", None), ("", None), ("-5", None), ("wide", None), ("٣", 40)],
)
def test_off_a_terminal_lines_are_broken_only_where_columns_says_so(columns: str, width: int | None) -> None:
    assert look_at(Stream(), Colour.AUTO, {"COLUMNS": columns}).width == width


def test_a_terminal_has_a_width() -> None:
    look = look_at(Stream(terminal=True), Colour.AUTO, {})

    assert look.width is not None
    assert look.width > 0


@pytest.mark.parametrize(
    ("encoding", "is_unicode"), [("utf-8", True), ("ascii", False), ("iso-8859-1", False), ("nonsense", False)]
)
def test_what_draws_can_be_shown(encoding: str, is_unicode: bool) -> None:
    look = look_at(Stream(encoding=encoding), Colour.AUTO, {})

    assert look.glyphs is (UNICODE if is_unicode else ASCII)


def test_a_closed_stream_is_no_terminal() -> None:
    stream = Stream(terminal=True)
    assert is_terminal(stream)

    stream.close()

    assert not is_terminal(stream)


def test_how_much_is_said_is_kept() -> None:
    assert look_at(Stream(), Colour.AUTO, {}, -1).verbosity == -1
