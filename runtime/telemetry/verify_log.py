"""Whether a decision log is whole: what `meshproof-proxy verify-log` says."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

from meshproof.runtime.telemetry.chain import BEGINNING, Link, Sealed, is_closed_text, is_torn_text, lost_in, read

_MOST_LINE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Broken:
    """Where a chain does not hold. `what` is one lower-case sentence."""

    file: str
    line: int
    what: str


@dataclass(frozen=True, slots=True)
class Whole:
    """What was found: `first` is the line before the first one, so a log that begins in the midst says after what.

    `lost` are the first and the last of lines that were gone when a process started that had been written before.
    `is_closed`: the last line says that its process has ended. Otherwise it still runs, was killed, or the end is cut.
    """

    lines: int
    first: Link
    last: Link
    recovered: int
    is_closed: bool
    lost: tuple[tuple[int, int], ...] = ()


def verify(
    files: Iterable[tuple[str, BinaryIO]], key: bytes | None = None, known: Link | None = None
) -> Whole | Broken:
    """Whether the files, in their order, are one chain without a gap. A line at the end that is torn is a break.

    `known` is the last line as an earlier look found it: it must be there, or be the one that the files begin after.
    """
    state = _State(key, known)
    for name, file in files:
        broken = state.file(name, file)
        if broken is not None:
            return broken
    if state.last is None or state.first is None:
        return Broken("", 0, "there is no line")
    if known is not None and state.last.number < known.number:
        return Broken("", 0, f"lines {state.last.number + 1} to {known.number} of the chain, seen before, are missing")
    return Whole(state.lines, state.first, state.last, state.recovered, state.is_closed, tuple(state.lost))


class _State:
    def __init__(self, key: bytes | None, known: Link | None) -> None:
        self._key = key
        self._known = known
        self.first: Link | None = None
        self.last: Link | None = None
        self.lines = self.recovered = 0
        self.is_closed = False
        self.lost: list[tuple[int, int]] = []

    def file(self, name: str, file: BinaryIO) -> Broken | None:
        """Read on. Lines that are none are torn parts, if the next line that is one says so of all of them."""
        torn: list[bytes] = []
        torn_at = 0
        for number, line in enumerate(iter(lambda: file.readline(_MOST_LINE), b""), 1):
            is_whole = line.endswith(b"\n")
            sealed = read(line[:-1], self._key) if is_whole else None
            if sealed is None:
                torn_at = torn_at or number
                torn.append(line)
                if not is_whole or sum(map(len, torn)) > _MOST_LINE:
                    return Broken(name, torn_at, "this is not the line that was written")
                continue
            if torn:
                if not is_torn_text(sealed, b"".join(torn)[:-1]):
                    return Broken(name, torn_at, "this is not the line that was written")
                self.recovered += 1
                torn, torn_at = [], 0
            wrong = self._wrong(sealed)
            if wrong is not None:
                return Broken(name, number, wrong)
        return Broken(name, torn_at, "this is not the line that was written") if torn else None

    def _wrong(self, sealed: Sealed) -> str | None:
        link, last = sealed.link, self.last
        if last is None:
            if (link.number == 1) != (sealed.previous == BEGINNING):
                return f"line {link.number} of the chain does not follow what it says that it follows"
            self.first = Link(link.number - 1, sealed.previous)
            if self._known is not None and (self.first.number > self._known.number or self._differs(self.first)):
                return (
                    f"line {link.number} of the chain does not follow line {self._known.number} as it was seen before"
                )
        elif link.number <= last.number:
            return f"line {link.number} of the chain comes after line {last.number}"
        elif link.number > last.number + 1:
            return f"lines {last.number + 1} to {link.number - 1} of the chain are missing"
        elif sealed.previous != last.hash:
            return f"line {link.number} of the chain follows another line {last.number} than the one before it"
        if self._differs(link):
            return f"line {link.number} of the chain is another one than was seen before"
        self.lines += 1
        self.is_closed = is_closed_text(sealed)
        lost = lost_in(sealed)
        if lost is not None:
            self.lost.append(lost)
        self.last = link
        return None

    def _differs(self, link: Link) -> bool:
        known = self._known
        return known is not None and link.number == known.number and link.hash != known.hash
