"""What the characters of strings, durations and dates say."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Iterator

_ESCAPE = re.compile(r'\\(?:(["\\])|u\{([0-9A-Fa-f]{1,6})\}|(.?))', re.DOTALL)
_MAX_CODE_POINT = 0x10FFFF
_SURROGATES = range(0xD800, 0xE000)


def decode(quoted: str) -> str:
    """What a string with its quotes says; an escape that does not exist stays as it is written."""
    inner = quoted[1:-1]
    return inner if "\\" not in inner else _ESCAPE.sub(_replace, inner)


def bad_escapes(quoted: str) -> Iterator[tuple[int, int]]:
    """Where in a string with its quotes an escape stands that does not exist."""
    if "\\" in quoted:
        for match in _ESCAPE.finditer(quoted, 1, len(quoted) - 1):
            if _decoded(match) is None:
                yield match.start(), match.end()


def encode(value: str) -> str:
    """The string with quotes that `decode` makes `value` of; whatever does not print is written as an escape."""
    return '"' + "".join(_encoded(character) for character in value) + '"'


def day(written: str) -> dt.date | None:
    """The day of the calendar, if there is one."""
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        return None


def last_day(written: str) -> str | None:
    """What to say of a day past the end of its month."""
    year, month = int(written[:4]), int(written[5:7])
    if not 1 <= month <= 12 or year == 0:  # noqa: PLR2004 - the months
        return None
    return f"the last day of that month is `{written[:8]}{calendar.monthrange(year, month)[1]}`"


def _replace(match: re.Match[str]) -> str:
    decoded = _decoded(match)
    return match[0] if decoded is None else decoded


def _decoded(match: re.Match[str]) -> str | None:
    if match[1]:
        return match[1]
    if not match[2]:
        return None
    code = int(match[2], 16)
    return None if code > _MAX_CODE_POINT or code in _SURROGATES else chr(code)


def _encoded(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
