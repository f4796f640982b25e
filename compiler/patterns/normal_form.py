"""Normal paths, character by character (the language's reference, "What happens to a request", step 2).

Visible ASCII is taken, from `!` to `~`: no HTTP/1 request can carry a blank in its target (RFC 9112 §3.2).
"""

from __future__ import annotations

import re
import string

HEX_DIGITS = frozenset(string.hexdigits)
UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_UNRESERVED_ESCAPE = re.compile(r"%(2[DdEe]|3[0-9]|4[1-9A-Fa-f]|5[0-9AaFf]|6[1-9A-Fa-f]|7[0-9AaEe])")
_REFUSED = {"#": "fragment", "?": "query", "\\": "backslash", "/": "slash inside of a segment"}


def is_visible(char: str) -> bool:
    """Whether a character is visible ASCII: printable, and no blank."""
    return "!" <= char <= "~"


def decode_unreserved(path: str) -> str:
    """Decode, once, the escapes of what never needs one (RFC 3986 §2.3); all others stay as they are, case included."""
    return _UNRESERVED_ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), path)


def remove_dot_segments(path: str) -> str:
    """RFC 3986 §5.2.4 for a path that begins with `/`; empty segments count as segments."""
    kept: list[str] = []
    segments = path[1:].split("/")
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def merge_slashes(path: str) -> str:
    """Every run of slashes as one."""
    return re.sub("/{2,}", "/", path)


def segment_fault(segment: str) -> tuple[str, int] | None:
    """The reason and the character why this is no segment of a normal path; None if it is one.

    A segment is not empty here: only the last one of a path may be, and callers say so themselves.
    """
    if not segment:
        return "empty segments are merged in a normal path", 0
    if segment in {".", ".."}:
        return "`.` and `..` are removed from a normal path", 0
    for position, char in enumerate(segment):
        if char in _REFUSED:
            return f"a normal path holds no {_REFUSED[char]}", position
        if not is_visible(char):
            return "a normal path holds visible ASCII alone", position
        if char == "%":
            reason = escape_fault(segment[position + 1 : position + 3])
            if reason is not None:
                return reason, position
    return None


def escape_fault(digits: str) -> str | None:
    """Why `%` with these two characters after it does not stand in a normal path; None if it may."""
    if len(digits) != len("2F") or not HEX_DIGITS.issuperset(digits):
        return "a `%` that begins no escape is refused"
    char = chr(int(digits, 16))
    if char == "\0":
        return "`%00` is refused"
    if char in "/\\":
        return "an escaped slash or backslash is refused"
    if char in UNRESERVED:
        return f"the escape of `{char}` is decoded in a normal path"
    return None
