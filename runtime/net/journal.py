"""What the authorizer tells of itself: JSON lines on standard error, never with what a request held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from meshproof.compiler.ir.json_text import canonical


class Journal:
    """Lines, and faults of peers by kind: one is told when it has happened 1, 2, 4, 8, … times."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._faults: Counter[str] = Counter()

    def tell(self, event: str, **said: str | int) -> None:
        """One line. A reader that is gone, or a full disk, stops nobody from deciding."""
        try:
            self._write(canonical({"event": event, **said}).decode("ascii"))
        except (OSError, ValueError):
            return

    def fault(self, what: str) -> None:
        """Count a fault, and tell it if its number is a power of two."""
        self._faults[what] += 1
        count = self._faults[what]
        if count & (count - 1) == 0:
            self.tell("refused", what=what, times=count)
