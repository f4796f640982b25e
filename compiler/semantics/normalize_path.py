"""Step 2 of "What happens to a request": the one normal form of a path, or the reason why there is none."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SPECIAL_ESCAPE = re.compile(r"%(?:00|2[Ff]|5[Cc])")
_UNRESERVED_ESCAPE = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")


@dataclass(frozen=True, slots=True)
class NormalPath:
    """A path in normal form, without the query."""

    text: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The path has no normal form; `reason` is one lower-case clause."""

    reason: str


def normalize(raw: str) -> NormalPath | Refused:
    """The normal form of a path as it was sent, query included."""
    path = raw.partition("?")[0]  # "`?…` is cut off"
    reason = _refusal(path)
    if reason is not None:
        return Refused(reason)
    decoded = _UNRESERVED_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), path)
    return NormalPath(re.sub("/+", "/", _without_dots(decoded)))


def _refusal(path: str) -> str | None:
    if not path.startswith("/"):
        return "a path begins with `/`"
    if "#" in path:
        return "a path holds no fragment"
    if any(not "!" <= char <= "~" for char in path):
        return "a path holds printable ASCII alone"
    if "\\" in path:
        return "a path holds no backslash"
    if _BAD_ESCAPE.search(path):
        return "a `%` begins no escape"
    if _SPECIAL_ESCAPE.search(path):
        return "`%00` and escaped slashes and backslashes are refused"
    return None


def _without_dots(path: str) -> str:
    """RFC 3986, section 5.2.4, which keeps empty segments."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for index, segment in enumerate(segments):
        is_last = index == len(segments) - 1
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
        if is_last and segment in {".", ".."}:
            kept.append("")
    return "/" + "/".join(kept)
