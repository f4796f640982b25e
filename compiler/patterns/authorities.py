"""Authorities as they are sent, and what a pattern over hosts says of them: "lower case without port and last dot"."""

from __future__ import annotations

from functools import lru_cache

from meshproof.compiler.patterns.alphabet import from_keys
from meshproof.compiler.patterns.automaton import Automaton
from meshproof.compiler.patterns.determinize import automaton_of
from meshproof.compiler.patterns.minimize import minimize
from meshproof.compiler.patterns.pattern import Language, Pattern, to_automaton
from meshproof.compiler.patterns.re2 import parse_regex
from meshproof.compiler.patterns.universe import Universe

_ASCII = 128
_DOTLESS = r"A-Za-z0-9_~!$&'()*+,;=%-"
_NAME = rf"(?:\.*[{_DOTLESS}][.{_DOTLESS}]*|\.\.+|\[[:.{_DOTLESS}]+\])"
_OUTSIDE, _INSIDE, _PORT = range(3)
_State = tuple[int, int, bool]
"""Where it is, the state over the host so far, and whether the last character is a dot that may be the last one.

Behind such a dot the state is the one before it; in a port it says alone whether the host was taken.
"""


@lru_cache(maxsize=1)
def authorities() -> Universe:
    """Every authority (RFC 3986 §3.2) without user information: a host in letters of any case, and a port if any.

    A host is never empty (RFC 9110 §4.2.1), nor when its last dot is gone.
    """
    return Universe("authority", automaton_of(parse_regex(_NAME + r"(?::[0-9]*)?")), ("other.example",))


@lru_cache(maxsize=1024)
def as_sent(pattern: Pattern) -> Language:
    """The authorities whose host the pattern takes. Raises PatternRefused or PatternTooLarge."""
    host = to_automaton(pattern)
    cuts = sorted({*range(_ASCII + 1), *host.alphabet.cuts})
    alphabet, keys = from_keys(cuts, [_key(host, code) for code in cuts])
    numbers: dict[_State, int] = {(_OUTSIDE, 0, False): 0}
    order: list[_State] = [(_OUTSIDE, 0, False)]
    rows: list[tuple[int, ...]] = []
    for state in order:
        row: list[int] = []
        for symbol, mark in keys:
            following = _after(host, state, symbol, mark)
            if following not in numbers:
                numbers[following] = len(order)
                order.append(following)
            row.append(numbers[following])
        rows.append(tuple(row))
    taken = tuple(host.accepting[state] for _, state, _ in order)
    return Language(minimize(Automaton(alphabet, tuple(rows), taken)))


def _key(host: Automaton, code: int) -> tuple[int, str]:
    """What tells a character apart: how the host reads it in lower case, and whether it marks something."""
    char = chr(code)
    lower = code + 32 if "A" <= char <= "Z" else code
    return host.alphabet.symbol(lower), char if char in ".:[]" else ""


def _after(host: Automaton, state: _State, symbol: int, mark: str) -> _State:
    """The state after a character. What stands in a port changes nothing: that it is digits is the universe's."""
    where, reached, is_dotted = state
    if where == _PORT or (where == _OUTSIDE and mark == ":"):
        return (_PORT, reached, False)
    if is_dotted:
        reached = host.rows[reached][host.alphabet.symbol(ord("."))]
    if mark == ".":
        return (where, reached, True)
    inside = _INSIDE if mark == "[" or (where == _INSIDE and mark != "]") else _OUTSIDE
    return (inside, host.rows[reached][symbol], False)
