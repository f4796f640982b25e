"""The decision log of a process that tells nothing else of requests, as an authorizer does."""

from __future__ import annotations

from meshproof.compiler.ir.decision import Decision
from meshproof.runtime.core.messages import Record
from meshproof.runtime.telemetry.decisions import DecisionLines, Told
from meshproof.runtime.telemetry.losses import Loss
from meshproof.runtime.telemetry.repeating import Tell
from meshproof.runtime.telemetry.sink import Lines
from meshproof.runtime.telemetry.text import Stamps

_MOST_KEPT = 4096


class DecisionLog:
    """One line a decision, in one thread. `tell` hears when lines are lost. `wall` and `monotonic`: what clocks say."""

    def __init__(self, log: Lines, lines: DecisionLines, tell: Tell, wall: float, monotonic: float) -> None:
        self._log = log
        self._lines = lines
        self._tell = tell
        self._stamps = Stamps(wall, monotonic)
        self._loss = Loss("decision")
        self._told: dict[int, Told] = {}

    def add(self, record: Record) -> None:
        """What was decided about a request. A record without a decision is none of this log."""
        decision = record.decision
        if decision is not None:
            self._log.add(self._lines.request(record, self._words(decision, record.policy), self._stamps))

    def tick(self, wall: float, monotonic: float) -> None:
        """A second or so has passed: write what waits."""
        self._stamps.set(wall, monotonic)
        self._log.flush()
        self._loss.look(self._log.lost, self._tell)

    def close(self, seconds: float) -> None:
        """Write what waits, for at most so long, and that it has ended."""
        self._log.close(seconds)

    def _words(self, decision: Decision, policy: str) -> Told:
        """By `id` of decisions, which are kept with what is told of them, so that no other gets their number."""
        found = self._told.get(id(decision))
        if found is None:
            if len(self._told) >= _MOST_KEPT:
                self._told.clear()
            found = self._told[id(decision)] = Told(decision, policy)
        return found
