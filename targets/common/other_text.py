"""An expression for every text but one: what no expression of RE2 says by itself."""

from __future__ import annotations

from meshproof.compiler.patterns import pattern
from meshproof.compiler.patterns.refusal import PatternRefused, PatternTooLarge

_SPECIAL = frozenset("\\.+*?()|[]{}^$-")
_MOST = 64


def other_than(text: str) -> str | None:
    """The expression; None for a text that is long, or not of printable ASCII."""
    if len(text) > _MOST or not text.isascii() or not text.isprintable():
        return None
    found = "(?s:.+)"
    for char in reversed(text):
        plain = f"\\{char}" if char in _SPECIAL else char
        found = f"(?:|[^{plain}](?s:.*)|{plain}{found})"
    try:
        pattern.check_regex(found)
    except (PatternRefused, PatternTooLarge):
        return None
    return found
