"""Logs that are written by a thread of their own, so that a slow disk or a reader that is gone holds nobody up.

What waits is bounded in bytes; beyond, lines are dropped and counted. A process makes its logs after it was forked.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

_BATCH_BYTES = 262_144
_MOST_BYTES = 8 * 1024 * 1024

Write = Callable[[Sequence[str]], int]
"""Writes lines, each with its end; says how many of the first ones are on record. It never raises."""


class BackgroundLog:
    """Hands lines over in batches."""

    def __init__(self, write: Write, end: Callable[[], None], most_bytes: int = _MOST_BYTES) -> None:
        """`end` is called by the thread when all is written, and may raise nothing."""
        self._write = write
        self._end = end
        self._most = most_bytes
        self._waiting: list[str] = []
        self._size = 0
        self._handed = 0  # bytes, of this thread alone
        self._done = 0  # bytes, of the other thread alone; so neither needs a lock
        self._dropped = 0
        self._unwritten = 0
        self._written = 0
        self._queue: SimpleQueue[tuple[list[str], int] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="meshproof-log", daemon=True)
        self._thread.start()

    @property
    def lines(self) -> int:
        """Lines that are on record."""
        return self._written

    @property
    def lost(self) -> int:
        """Lines that found no room, or that could not be written."""
        return self._dropped + self._unwritten

    def add(self, line: str) -> None:
        """One more line; it is dropped if too many bytes wait."""
        self._waiting.append(line)
        self._size += len(line)
        if self._size >= _BATCH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand over what waits, if there is room."""
        waiting, size = self._waiting, self._size
        if not waiting:
            return
        self._waiting, self._size = [], 0
        if self._handed - self._done + size > self._most:
            self._dropped += len(waiting)
            return
        self._handed += size
        self._queue.put((waiting, size))

    def close(self, seconds: float) -> None:
        """Write what waits, for at most so long; what is not written then is lost with the process."""
        self.flush()
        self._queue.put(None)
        self._thread.join(seconds)

    def _run(self) -> None:
        while (batch := self._queue.get()) is not None:
            lines, size = batch
            written = self._write(lines)
            self._written += written
            self._unwritten += len(lines) - written
            self._done += size
        self._end()


class PlainFile:
    """A file to which lines are added. One that was moved away is made anew, as programs that rotate logs expect."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._looked = clock()
        self._is_torn = False
        self._file = _opened(path)

    def write(self, lines: Sequence[str]) -> int:
        """Add them. A line that was written in part is ended by the next one's start, so that only it is lost."""
        self._follow()
        data = "".join(lines).encode("utf-8", "replace")
        start = b"\n" if self._is_torn else b""
        written = write_all(self._file, start + data) - len(start)
        if written < 0:
            return 0
        self._is_torn = written < len(data) and not data[:written].endswith(b"\n") and written > 0
        return len(lines) if written == len(data) else data.count(b"\n", 0, written)

    def close(self) -> None:
        """It is no longer written to."""
        os.close(self._file)

    def _follow(self) -> None:
        """Once a second: whether the file is still the one of that name."""
        now = self._clock()
        if now - self._looked < 1:
            return
        self._looked = now
        try:
            here, there = os.fstat(self._file), self._path.stat()
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                return
        except OSError:
            pass
        try:
            new = _opened(self._path)
        except OSError:
            return  # the old one is better than none
        os.close(self._file)
        self._file, self._is_torn = new, False


class Stream:
    """A file descriptor that somebody else opened, as standard output is."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, lines: Sequence[str]) -> int:
        """Add them."""
        data = "".join(lines).encode("utf-8", "replace")
        return data.count(b"\n", 0, write_all(self._descriptor, data))

    def close(self) -> None:
        """Who opened it closes it."""


def write_all(descriptor: int, data: bytes) -> int:
    """How many of the bytes are written: all, unless the disk is full or the reader is gone."""
    at = 0
    view = memoryview(data)
    while at < len(data):
        try:
            written = os.write(descriptor, view[at:])
        except OSError:
            break
        if written == 0:
            break
        at += written
    return at


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
