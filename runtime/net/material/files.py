"""Files as they are at one moment, and whether they are others now."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from meshproof.runtime.net.material.errors import RefusedError

MOST_BYTES = 1_048_576

Print = tuple[int, ...]


def content(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """The bytes of a file of at most that size. Raises `RefusedError`."""
    try:
        with path.open("rb") as file:
            found = file.read(most_bytes + 1)
    except OSError as error:
        raise RefusedError(f"`{path}` cannot be read: {error.strerror}") from None
    if len(found) > most_bytes:
        raise RefusedError(f"`{path}` has more than {most_bytes} bytes")
    return found


class Watch:
    """Some files. A link is followed, so a folder of links that is swapped as Kubernetes does it is seen too."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = tuple(paths)
        self._prints = self._now()

    def has_changed(self) -> bool:
        """Whether any of them is another than when this was last asked: replaced, written, gone or there again."""
        prints = self._now()
        has_changed = prints != self._prints
        self._prints = prints
        return has_changed

    def _now(self) -> tuple[Print, ...]:
        return tuple(_print(path) for path in self._paths)


def _print(path: Path) -> Print:
    try:
        found = os.stat(path)  # noqa: PTH116  the numbers are all that is wanted
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
