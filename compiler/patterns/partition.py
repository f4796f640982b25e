"""What both ways to compute classes give, and the limits they keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from meshproof.compiler.patterns.refusal import PatternTooLarge


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a partition is given up: its classes, and the states that are built on the way."""

    classes: int = 20_000
    states: int = 50_000

    def check_classes(self, count: int) -> None:
        """Raise PatternTooLarge if there are more classes than this."""
        if count > self.classes:
            raise PatternTooLarge(f"the patterns divide the values into more than {self.classes} classes")

    def check_states(self, count: int) -> None:
        """Raise PatternTooLarge if more states than this are needed."""
        if count > self.states:
            raise PatternTooLarge(f"telling the patterns apart takes more than {self.states} states")


class Partition(Protocol):
    """The classes of a universe."""

    @property
    def witnesses(self) -> dict[int, str]:
        """A member of each class that has one, by signature; nothing else is in it."""

    def signature_of(self, text: str) -> int:
        """The signature of a member of the universe."""
