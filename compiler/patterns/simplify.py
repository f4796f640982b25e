"""The plainest pattern that means the same within a universe, so that more policies take the fast way."""

from __future__ import annotations

from meshproof.compiler.patterns.charset import EVERY, SCALARS, SURROGATES, CharSet, of
from meshproof.compiler.patterns.pattern import (
    AnyText,
    Exact,
    Pattern,
    Prefix,
    Regex,
    Suffix,
    expression_of,
    lower_ascii,
)
from meshproof.compiler.patterns.re2_chars import DOT
from meshproof.compiler.patterns.regular import Chars, Concat, Node, Repeat
from meshproof.compiler.patterns.universe import Universe

_UPPER: CharSet = ((ord("A"), ord("Z")),)


def simplify(pattern: Pattern, universe: Universe) -> Pattern:
    """A pattern that matches the same members of the universe. Raises PatternRefused for a bad expression."""
    match pattern:
        case Exact(value, True) if universe.is_without(_UPPER):
            return Exact(lower_ascii(value))
        case Prefix(value, True) if universe.is_without(_UPPER):
            return simplify(Prefix(lower_ascii(value)), universe)
        case Suffix(value, True) if universe.is_without(_UPPER):
            return simplify(Suffix(lower_ascii(value)), universe)
        case Prefix("") | Suffix(""):
            return AnyText()
        case Regex():
            return _simplify_regex(pattern, universe)
        case _:
            return pattern


def _simplify_regex(pattern: Regex, universe: Universe) -> Pattern:
    node = expression_of(pattern)
    parts: list[Node] = list(node.parts) if isinstance(node, Concat) else [node]
    has_front = bool(parts) and _is_anything(parts[0], universe)
    has_back = len(parts) > int(has_front) and _is_anything(parts[-1], universe)
    middle = _literal(parts[int(has_front) : len(parts) - int(has_back)])
    if middle is None or (has_front and has_back and middle):
        return pattern
    if not middle and (has_front or has_back):
        return AnyText()
    if has_back:
        return Prefix(middle)
    return Suffix(middle) if has_front else Exact(middle)


def _is_anything(node: Node, universe: Universe) -> bool:
    """Whether the node matches every string of characters that members of the universe hold."""
    match node:
        case Repeat(Chars(chars), 0, None) if chars in {EVERY, SCALARS, DOT}:
            return universe.is_without(SURROGATES) and (chars != DOT or universe.is_without(of("\n")))
        case _:
            return False


def _literal(parts: list[Node]) -> str | None:
    """The text that the nodes spell, if each is one character."""
    text: list[str] = []
    for part in parts:
        match part:
            case Chars(((low, high),)) if low == high:
                text.append(chr(low))
            case _:
                return None
    return "".join(text)
