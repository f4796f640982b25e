"""Why a pattern is not taken: it cannot be read, or it is too large to be decided exactly."""

from __future__ import annotations


class PatternRefused(ValueError):  # noqa: N818  it is an answer about input
    """The text of a pattern cannot be given an exact meaning.

    `position` counts characters of the pattern's text from 0; `reason` is one lower-case clause without a full stop.
    """

    def __init__(self, reason: str, position: int = 0) -> None:
        """Keep the reason and the character that it is about."""
        super().__init__(f"{reason} (at character {position})")
        self.reason = reason
        self.position = position


class PatternTooLarge(ValueError):  # noqa: N818  the same
    """An exact answer would take more states, classes or work than the limits allow.

    Callers answer `unknown`, never `proved`.
    """

    def __init__(self, reason: str) -> None:
        """Keep the reason: one lower-case clause that names the limit."""
        super().__init__(reason)
        self.reason = reason
