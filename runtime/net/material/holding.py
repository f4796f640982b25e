"""One thing that was given: the last good one, since when, and why a later one was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from meshproof.runtime.net.process.frames import Frame


@dataclass(frozen=True, slots=True)
class Taken:
    """What is held: the frame that gives it to a worker, and what people call it (a digest, an identity).

    `revision` is the number of a policy, where it has one.
    """

    frame: Frame
    name: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """A later one that was not taken."""

    at: datetime
    why: str


class Holding:
    """The last good one of a kind."""

    def __init__(self) -> None:
        self.taken: Taken | None = None
        self.taken_at: datetime | None = None
        self.refusal: Refusal | None = None

    def take(self, taken: Taken, now: datetime) -> bool:
        """Hold it from now on; whether it is another than before."""
        self.refusal = None
        if self.taken is not None and self.taken.frame == taken.frame:
            return False
        self.taken = taken
        self.taken_at = now
        return True

    def refuse(self, why: str, now: datetime) -> bool:
        """Keep what is held; whether that was not refused for the same reason before."""
        is_news = self.refusal is None or self.refusal.why != why
        if is_news:
            self.refusal = Refusal(now, why)
        return is_news
