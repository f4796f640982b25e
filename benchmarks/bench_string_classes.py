"""How long the ground of a proof takes: dividing paths by the patterns of one destination."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from random import Random

from benchmarks.case import Case

from meshproof.compiler.patterns.classes import string_classes
from meshproof.compiler.patterns.pattern import Exact, Pattern, Regex, Suffix, to_automaton
from meshproof.compiler.patterns.segments import parse_segments
from meshproof.compiler.patterns.universe import normal_paths


def cases() -> Iterator[Case]:
    """Whole paths and segment patterns, four to one; then expressions, read anew and read before."""
    for count, goal in ((10, 0.002), (100, 0.01), (250, 0.02), (1000, 0.1)):
        chosen = _methods_and_segments(count)
        yield Case(
            f"classes of {count} paths and segment patterns", partial(string_classes, chosen, normal_paths()), goal
        )
    expressions = tuple(Regex(f"/api/v[0-9]+/res{number}(/[a-z0-9-]+)?") for number in range(30))
    yield Case("classes of 30 expressions, read anew", partial(_anew, expressions), 0.1)
    yield Case("classes of 30 expressions", partial(string_classes, expressions, normal_paths()), 0.05)
    mixed = (*_methods_and_segments(250), *expressions[:5], Suffix(".html"))
    yield Case("classes of 250 paths, 5 expressions, a suffix", partial(string_classes, mixed, normal_paths()), 0.5)


def _methods_and_segments(count: int) -> tuple[Pattern, ...]:
    random = Random(1)  # noqa: S311  the same policy each time
    found: list[Pattern] = []
    for number in range(count):
        service = f"shop.Service{random.randrange(count // 4 + 1)}"
        shapes = (f"/{service}/*", f"/api/v{number}/*/items/**", f"/api/v1/users/*/x{number}")
        is_segments = number % 5 == 0
        found.append(parse_segments(random.choice(shapes)) if is_segments else Exact(f"/{service}/Method{number}"))
    return tuple(found)


def _anew(patterns: tuple[Pattern, ...]) -> None:
    to_automaton.cache_clear()
    string_classes(patterns, normal_paths())
