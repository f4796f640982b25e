"""How things are explained in a policy that nobody wrote by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.names import Origin


def _no_comments(origin: Origin) -> tuple[str, ...]:
    del origin
    return ()


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands where the language wants reasons: `because` of a place, and the day through which it holds.

    `comments` are the lines that explain what stands at a place, without their `#`.
    """

    policy: str
    because: Callable[[Origin], str]
    until: date
    comments: Callable[[Origin], tuple[str, ...]] = _no_comments
