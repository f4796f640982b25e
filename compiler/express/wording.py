"""How things are explained in a policy that nobody wrote by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from meshproof.compiler.ir.names import Origin


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands where the language wants reasons: `because` of a place, and the day through which it holds."""

    policy: str
    because: Callable[[Origin], str]
    until: date
