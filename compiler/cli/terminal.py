"""What the place that output goes to can show."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, TextIO

from meshproof.compiler.config.keys import Colour
from meshproof.compiler.report.look import ASCII, UNICODE, Glyphs, Look

if TYPE_CHECKING:
    from collections.abc import Mapping


def look_at(stream: TextIO, colour: Colour, environ: Mapping[str, str], verbosity: int = 0) -> Look:
    """How text may look on the stream: broken to the width of a terminal or of `COLUMNS`, and nowhere else."""
    return Look(_width(stream, environ), has_colour(stream, colour, environ), _glyphs(stream), verbosity)


def has_colour(stream: TextIO, colour: Colour, environ: Mapping[str, str]) -> bool:
    """Whether to use colour: the flag wins, then NO_COLOR, then FORCE_COLOR, then whether it is a terminal."""
    match colour:
        case Colour.ALWAYS:
            return True
        case Colour.NEVER:
            return False
        case Colour.AUTO:
            if environ.get("NO_COLOR"):
                return False
            if environ.get("FORCE_COLOR"):
                return True
            return is_terminal(stream) and environ.get("TERM") != "dumb"


def is_terminal(stream: TextIO) -> bool:
    """Whether a person sees the stream as it is written."""
    return not stream.closed and stream.isatty()


def _width(stream: TextIO, environ: Mapping[str, str]) -> int | None:
    columns = environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return max(int(columns), 40)
    return shutil.get_terminal_size().columns if is_terminal(stream) else None


def _glyphs(stream: TextIO) -> Glyphs:
    every = "".join(value for value in vars_of(UNICODE))
    try:
        every.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def vars_of(glyphs: Glyphs) -> tuple[str, ...]:
    """All characters of a set."""
    return tuple(getattr(glyphs, name) for name in glyphs.__slots__)
