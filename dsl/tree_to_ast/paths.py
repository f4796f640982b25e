"""Reading path patterns: whole segments, in normal form."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from meshproof.dsl.ast.operations import AnySegment, LiteralSegment, Segment

_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_PRINTABLE = re.compile(r"[\x21-\x7e]*")
_REFUSED = frozenset("\0/\\")


_WILDCARD = re.compile(r"/(?:\*{1,2}|\{[^/]*\})(?=/|$)")


def is_wildcard(path: str) -> bool:
    """Whether a path has a segment that stands for any."""
    return _WILDCARD.search(path) is not None


@dataclass(frozen=True, slots=True)
class ReadPath:
    """What a pattern says, or (if `problem` is not empty) what is wrong with it and what to do about it."""

    segments: tuple[Segment, ...]
    has_rest: bool
    problem: str = ""
    advice: str = ""


@lru_cache(maxsize=1 << 14)
def read(written: str) -> ReadPath:
    """Read a pattern that begins with `/`."""
    problem, advice = _wrong(written)
    if problem:
        return ReadPath((), has_rest=True, problem=problem, advice=advice)
    parts = written[1:].split("/")
    has_rest = parts[-1] == "**"
    if has_rest:
        parts.pop()
    return ReadPath(tuple(_segment(part) for part in parts), has_rest)


def _segment(part: str) -> Segment:
    if part == "*":
        return AnySegment()
    parameter = _PARAMETER.fullmatch(part)
    return AnySegment(parameter[1]) if parameter else LiteralSegment(part)


def _wrong(written: str) -> tuple[str, str]:
    parts = written[1:].split("/")
    if "?" in written:
        return "a pattern holds a query", 'a path ends before `?`; write `when query["name"] == "value"`'
    if not _PRINTABLE.fullmatch(written):
        return "a pattern holds a character that is not printable ASCII", "write it as `%` and two hexadecimal digits"
    if "**" in parts[:-1]:
        return "`**` is not the last segment of a pattern", "`*` stands for one segment; `**` stands last, for any rest"
    for part in parts:
        problem, advice = _wrong_segment(part)
        if problem:
            return problem, advice
    if "" in parts[:-1]:
        return "a pattern holds `//`, which is never in a normal path", f"write `{re.sub('/+', '/', written)}`"
    return "", ""


def _wrong_segment(part: str) -> tuple[str, str]:
    if part in {"", "*", "**"} or _PARAMETER.fullmatch(part):
        return "", ""
    if part in {".", ".."}:
        return f"a pattern holds `{part}`, which is never in a normal path", "write the path that it leads to"
    if "*" in part:
        return f"`{part}` is not a whole segment", 'a `*` is a segment of its own; or write `when path startswith "…"`'
    if "{" in part or "}" in part:
        return f"`{part}` is not a whole segment", "a `{name}` is a segment of its own, its name of letters and digits"
    if "\\" in part:
        return "a pattern holds a backslash", "a path with a backslash is refused before any rule is asked"
    return _wrong_escape(part)


def _wrong_escape(part: str) -> tuple[str, str]:
    for match in _ESCAPE.finditer(part):
        if match[1] is None:
            return "a pattern holds a `%` that is no escape", "a `%` is followed by two hexadecimal digits"
        character = chr(int(match[1], 16))
        if character in _REFUSED:
            return f"a pattern holds `{match[0]}`", "a path with that escape is refused before any rule is asked"
        if character in _UNRESERVED:
            return f"a pattern holds `{match[0]}`, which is never in a normal path", f"write `{character}`"
    return "", ""
