"""What a segment of a normal path is (language.md, "What happens to a request", step 2), character by character."""

from __future__ import annotations

import string

HEX_DIGITS = frozenset(string.hexdigits)
UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_REFUSED = {"#": "a fragment", "?": "a query", "\\": "a backslash", "/": "a slash"}


def is_printable(char: str) -> bool:
    """Whether a character is printable ASCII, from blank to tilde."""
    return " " <= char <= "~"


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
            return f"a normal path holds no {_REFUSED[char].removeprefix('a ')}", position
        if not is_printable(char):
            return "a normal path holds printable ASCII alone", position
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
