"""Whether a pattern takes the path that Envoy matches exactly where it takes the path of the language.

Envoy percent-encodes `"<>^`{|}` before it matches, and a raw path of slashes alone stays `//` where all other slashes
are merged. A pattern that tells a character from its escape, or `/` from `//`, means something else there.
"""

from __future__ import annotations

from functools import cache

from meshproof.compiler.patterns.alphabet import of_charsets
from meshproof.compiler.patterns.automaton import Automaton, intersection, is_empty, product
from meshproof.compiler.patterns.universe import normal_paths

ENCODED = '"<>^`{|}'
"""What Envoy writes as escapes, with capital digits."""


def is_blind_to_escapes(language: Automaton) -> bool:
    """Whether a normal path is taken exactly if the path with Envoy's escapes is."""
    told = product(language, _over_envoys_escapes(language), lambda plain, encoded: plain != encoded)
    return is_empty(intersection(told, normal_paths().language))


def takes_root_alone(language: Automaton) -> bool:
    """Whether `/` is taken and the raw path `//`, which is the same to the language, is not."""
    return language.accepts("/") and not language.accepts("//")


def takes_raw_root_alone(language: Automaton) -> bool:
    """Whether the raw path `//` is taken and `/`, which it is to the language, is not."""
    return language.accepts("//") and not language.accepts("/")


def _over_envoys_escapes(language: Automaton) -> Automaton:
    """The paths that are taken once the characters have become their escapes."""
    refined = product(language, _each_apart(), lambda taken, _: taken)
    rows = [list(row) for row in refined.rows]
    for char in ENCODED:
        symbol = refined.alphabet.symbol(ord(char))
        for state, row in enumerate(rows):
            row[symbol] = refined.run(f"%{ord(char):02X}", state)
    return Automaton(refined.alphabet, tuple(map(tuple, rows)), refined.accepting)


@cache
def _each_apart() -> Automaton:
    """Anything, over an alphabet in which each of the characters is a symbol of its own."""
    alphabet, _ = of_charsets([((ord(char), ord(char)),) for char in ENCODED])
    return Automaton(alphabet, ((0,) * alphabet.size,), (True,))
