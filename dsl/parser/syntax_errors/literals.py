"""Numbers, lengths of time and days that are not quite written."""

from __future__ import annotations

import re

from meshproof.dsl.diagnostic import Applicability, Diagnostic, Fix
from meshproof.dsl.parser.syntax_errors.place import Place
from meshproof.dsl.problems import found
from meshproof.dsl.tree_to_ast.strings import day

_DIGITS = re.compile(r"(\d+)(.*)")
_LOOSE_DATE = re.compile(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})")
_UNITS = {
    **dict.fromkeys(("msec", "millis", "milliseconds"), "ms"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
}


def date(place: Place) -> Diagnostic | None:
    """`until 2027-6-30`, `until tomorrow`."""
    if place.expected != {"DATE"} or place.is_end:
        return None
    loose = _LOOSE_DATE.match(place.run)
    advice = "write a day as YYYY-MM-DD, as in `2027-06-30`"
    fixes: tuple[Fix, ...] = ()
    span = place.at(place.piece.start, place.piece.start + len(place.run)) if place.is_word else place.span
    if loose:
        written = f"{loose[1]}-{int(loose[2]):02}-{int(loose[3]):02}"
        if day(written):
            advice = f"write `{written}`"
            fixes = (Fix(span, written, advice, Applicability.SAFE),)
    shown = place.run if place.is_word else place.text
    return found("MP112", f"`{shown}` is no day", span, "not YYYY-MM-DD", help=advice, fixes=fixes)


def duration(place: Place) -> Diagnostic | None:
    """`timeout 2`, `timeout 2sec`."""
    match = _DIGITS.fullmatch(place.text)
    if "DURATION" not in place.expected or not place.is_word or match is None:
        return None
    number, unit = match.groups()
    after = place.following[0].text if place.following else ""
    known = _UNITS.get(unit or after)
    advice = f"write `{number}{known}`" if known else f"write `{number}ms`, `{number}s`, `{number}m` or `{number}h`"
    message = f"`{unit}` is no unit of time" if unit else f"`{number}` has no unit of time"
    return found("MP111", message, place.span, "ms, s, m or h", help=advice)


def percent(place: Place) -> Diagnostic | None:
    """`v1 95`, `v1 2.5%`."""
    if "PERCENT" not in place.expected or not place.is_word or not place.text[0].isdigit():
        return None
    message = f"`{place.text}` is no whole percent"
    return found("MP110", message, place.span, "not a percent", help="write whole percents, as in `95%`")


def number(place: Place) -> Diagnostic | None:
    """`port http 80kg`, `retry twice`."""
    if "NUMBER" not in place.expected or not place.is_word or {"NAME", "STRING"} <= place.expected:
        return None
    advice = "write a whole number, or `$name` for one that is a `value`"
    return found("MP110", f"`{place.text}` is no number", place.span, "not a number", help=advice)
