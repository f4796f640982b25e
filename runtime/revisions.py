"""Which policies are older than what was taken before: by a number that is signed with them, and by no clock.

A bundle may hold a revision. Who asks for one takes greater ones alone, and the one that was taken last, as it was.
"""

from __future__ import annotations

import fcntl
import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from meshproof.compiler.ir.bundle import MOST_REVISION
from meshproof.compiler.ir.json_text import JsonError, canonical, parse
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.new_files import why_unwritable, write_over
from meshproof.runtime.settings_run import PolicyFiles

_MODE = 0o600
_MOST_BYTES = 4096
_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch


class RevisionError(Exception):
    """A bundle is older than it may be, or nobody can tell. The message is one lower-case sentence."""


@dataclass(frozen=True, slots=True)
class _Revision:
    number: int
    digest: str


class Revisions:
    """What the settings say of revisions; where they say nothing, every bundle is taken.

    The greatest number is known in this process, whatever becomes of the file meanwhile, and in the file across
    restarts. One process has the file, by a lock on `….lock`.
    """

    def __init__(self, files: PolicyFiles) -> None:
        self._least = files.minimum_revision
        self._file = files.revision_file
        self._known: _Revision | None = None
        self._lock: int | None = None

    def hold(self) -> None:
        """Have the file for this process alone, until `release`. Raises `RevisionError`."""
        if self._file is None or self._lock is not None:
            return
        place = _lock_of(self._file)
        try:
            lock = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
        except OSError as error:
            raise RevisionError(f"`{place}` cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise RevisionError(f"`{self._file}` is another process's; each has a file of its own") from None
        self._lock = lock

    def release(self) -> None:
        """Let another process have the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def check(self, loaded: Loaded) -> None:
        """Whether the bundle may be taken, and could be remembered; nothing is. Raises `RevisionError`."""
        self._checked(loaded)
        if self._file is None:
            return
        why = why_unwritable(_lock_of(self._file)) or why_unwritable(self._file.with_name(f".{self._file.name}.new"))
        if why is not None:
            raise RevisionError(f"`{self._file}` cannot be written: {why}")

    def take(self, loaded: Loaded) -> None:
        """Take the bundle: from now on no older one is. Raises `RevisionError`, also where that cannot be remembered.

        To be called by who has called `hold`.
        """
        found, written = self._checked(loaded)
        if found is None:
            return
        if self._file is not None and written != found:
            text = canonical({"digest": found.digest, "revision": found.number})
            try:
                write_over(self._file, text, _MODE)
            except OSError as error:
                why = f"`{self._file}` cannot be written: {error.strerror}"
                raise RevisionError(f"revision {found.number} would be forgotten: {why}") from None
        self._known = found

    def _checked(self, loaded: Loaded) -> tuple[_Revision | None, _Revision | None]:
        """The revision of the bundle, if one is asked for, and the one that the file holds."""
        if not self._least and self._file is None:
            return None, None
        number = loaded.bundle.revision
        if number is None:
            raise RevisionError("it has no revision; `compile --option native.revision=NUMBER` gives it one")
        if number < self._least:
            raise RevisionError(f"its revision {number} is less than `minimum_revision`, which is {self._least}")
        written = self._written()
        found = _Revision(number, loaded.digest)
        for known in (self._known, written):
            if known is not None and number < known.number:
                undone = "to undo a policy, compile the older text with a greater number"
                raise RevisionError(f"its revision {number} is older than {known.number}, which was taken; {undone}")
            if known is not None and number == known.number and found != known:
                raise RevisionError(f"its revision {number} was another bundle before; each has a number of its own")
        return found, written

    def _written(self) -> _Revision | None:
        if self._file is None:
            return None
        try:
            descriptor = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                text = os.read(descriptor, _MOST_BYTES)
            finally:
                os.close(descriptor)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise RevisionError(f"`{self._file}` cannot be read: {error.strerror}") from None
        found = _read(text)
        if found is None:
            forget = "remove it if what was taken may be forgotten"
            raise RevisionError(f"`{self._file}` is not as it was written; {forget}")
        return found


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _read(text: bytes) -> _Revision | None:
    with suppress(JsonError):
        match parse(text):
            case {"digest": str(digest), "revision": int(number), **rest} if not rest:
                if not isinstance(number, bool) and 1 <= number <= MOST_REVISION and _DIGEST(digest):
                    return _Revision(number, digest)
    return None
