"""Did you mean: advice about a name that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.dsl.suggest import closest

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The advice of a finding about an unknown name, or None where nothing known is close."""
    found = closest(name, known)
    return None if found is None else f"did you mean `{found}`?"
