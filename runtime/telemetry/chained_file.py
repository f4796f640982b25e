"""The file of a chain: one process at a time, continued after a restart, torn lines told, parts rotated.

What `write` says is on record is with the kernel, so it outlives the process however that ends; it is on the disk,
and outlives a power failure, when it was synced, which is done once a second, when a part is put away, and at the end.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from meshproof.runtime.telemetry.chain import BEGINNING, CLOSED_TEXT, Chain, Link, lost_text, read, torn_text
from meshproof.runtime.telemetry.chained_head import beside, put_head, read_head
from meshproof.runtime.telemetry.lines import write_all

_MOST_SLOTS = 256
_TAIL_BYTES = 1024 * 1024
MOST_BYTES = 1 << 28
KEEPS = 16
_SYNC_SECONDS = 1


class ChainError(Exception):
    """A log cannot be continued. The message is one lower-case sentence."""


class ChainedFile:
    """Adds lines to the first of `PATH`, `PATH.1`, … that no other process holds; each of them is a chain of its own.

    A process holds it by a lock on `….lock`, which stays when parts are put away, and says how far the chain went. If
    there is less at a start, the chain says so in a line of its own. `clock` is monotonic.

    A part of `most_bytes` is put away as `….NUMBER-of-its-last-line`, the newest `keeps` of them are kept, and the next
    part continues the chain. A file that ends with what is no line of a chain is not continued. Raises `ChainError`.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float],
        key: bytes | None = None,
        *,
        most_bytes: int = MOST_BYTES,
        keeps: int = KEEPS,
    ) -> None:
        self._key = key
        self._clock = clock
        self._synced = clock()
        self._most_bytes = most_bytes
        self._keeps = keeps
        self.path, self._lock = _locked(path)
        self.sync_failures = 0
        try:
            self._file = _opened(self.path)
            data, self._size = _tail(self._file)
            self._chain, self._torn = _continued(self.path, data, key)
            self._lost = _lost(self._chain.last, read_head(self._lock))
        except OSError as error:
            os.close(self._lock)
            raise ChainError(f"`{self.path}` cannot be written: {error.strerror}") from None
        except ChainError:
            os.close(self._file)
            os.close(self._lock)
            raise

    @property
    def last(self) -> Link:
        """The last line that is on record."""
        return self._chain.last

    def write(self, members: Sequence[str]) -> int:
        """Add lines, each an object without the brace that ends it; how many of the first ones are on record."""
        if self._torn and not self._recovered():
            return 0
        if self._lost and not self._put(self._chain.sealed([self._lost])):
            return 0
        self._lost = ""
        if self._size >= self._most_bytes:
            self._rotate()
        sealed = self._chain.sealed(members)
        written = self._put(sealed)
        put_head(self._lock, self._chain.last)
        now = self._clock()
        if now - self._synced >= _SYNC_SECONDS:
            self._synced = now
            self._sync()
        return written

    def close(self) -> None:
        """Say in the chain that it was ended and not cut, sync, and let another process have the file."""
        self.write((CLOSED_TEXT,))
        self._sync()
        os.close(self._file)
        os.close(self._lock)

    def _sync(self) -> None:
        """A disk that fails to do so is counted: what it has lost shows when the chain is verified."""
        try:
            os.fdatasync(self._file)
        except OSError:
            self.sync_failures += 1

    def _recovered(self) -> bool:
        """Say what the torn part is. Its line stands after it, so nothing that was written is changed."""
        [(line, link)] = self._chain.sealed([torn_text(self._torn)])
        written = write_all(self._file, b"\n" + line)
        if written == len(line) + 1:
            self._size += written
            self._torn = b""
            self._chain.advance(link)
            return True
        if not self._taken_back(self._size):
            self._size += written
            self._torn = self._torn + (b"\n" + line)[:written]
        return False

    def _put(self, sealed: list[tuple[bytes, Link]]) -> int:
        data = b"".join(line for line, _ in sealed)
        written = write_all(self._file, data)
        if written == len(data):
            self._size += written
            self._chain.advance(sealed[-1][1])
            return len(sealed)
        count, at = 0, 0
        for line, link in sealed:
            if at + len(line) > written:
                break
            at += len(line)
            count += 1
            self._chain.advance(link)
        if self._taken_back(self._size + at):
            self._size += at
        else:
            self._size += written
            self._torn = data[at:written]
        return count

    def _taken_back(self, size: int) -> bool:
        """Whether what this process has just written in part could be taken away again."""
        try:
            os.ftruncate(self._file, size)
        except OSError:
            return False
        return True

    def _rotate(self) -> None:
        """Put the part away. If that cannot be done, it goes on growing."""
        away = self.path.with_name(f"{self.path.name}.{self._chain.last.number:018d}")
        try:
            self.path.rename(away)
            new = _opened(self.path)
        except OSError:
            return
        self._sync()
        os.close(self._file)
        self._file, self._size = new, 0
        for old in sorted(self.path.parent.glob(f"{self.path.name}.{'[0-9]' * 18}"))[: -self._keeps]:
            old.unlink(missing_ok=True)


def _continued(path: Path, data: bytes, key: bytes | None) -> tuple[Chain, bytes]:
    """The chain after the last whole line, and the bytes after it."""
    whole, _, torn = data.rpartition(b"\n")
    if not whole:
        if torn and len(data) >= _TAIL_BYTES:
            raise ChainError(f"`{path}` does not end with a line")
        return Chain(_before(path, key), key), torn
    last = read(whole.rpartition(b"\n")[2], key)
    if last is None:
        raise ChainError(f"the last line of `{path}` is not as it was written, so nothing can be added to it")
    return Chain(last.link, key), torn


def _lost(last: Link, head: Link | None) -> str:
    """What the chain is to say if its process had written more than is there."""
    return "" if head is None or head.number <= last.number else lost_text(last, head)


def _before(path: Path, key: bytes | None) -> Link:
    """The end of the newest part that was put away, if there is one: a process may end just after it did so."""
    parts = sorted(path.parent.glob(f"{path.name}.{'[0-9]' * 18}"))
    if not parts:
        return Link(0, BEGINNING)
    file = os.open(parts[-1], os.O_RDONLY | os.O_CLOEXEC)
    try:
        data, _ = _tail(file)
    finally:
        os.close(file)
    last = read(data.rstrip(b"\n").rpartition(b"\n")[2], key)
    if last is None:
        raise ChainError(f"the last line of `{parts[-1]}` is not as it was written, so nothing can be added after it")
    return last.link


def _locked(path: Path) -> tuple[Path, int]:
    for slot in range(_MOST_SLOTS):
        place = path if slot == 0 else path.with_name(f"{path.name}.{slot}")
        try:
            lock = _opened_to_overwrite(beside(place))
        except OSError as error:
            raise ChainError(f"`{place}` cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        return place, lock
    raise ChainError(f"`{path}` and {_MOST_SLOTS - 1} others beside it are in use")


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _opened_to_overwrite(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)


def _tail(file: int) -> tuple[bytes, int]:
    """The last bytes, enough for a line, and how many there are in all."""
    size = os.fstat(file).st_size
    start = max(size - _TAIL_BYTES, 0)
    found = b""
    while len(found) < size - start:
        piece = os.pread(file, size - start - len(found), start + len(found))
        if not piece:
            break
        found += piece
    return found, size
