"""Writing files whole, with their mode from the first byte."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is not there yet. Raises `OSError`, and then it is not there."""
    _written(path, path, content, mode)


def write_over(path: Path, content: bytes, mode: int) -> None:
    """Write a file in place of one that may be there: readers see the one or the other, whole. Raises `OSError`."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _written(partial, path, content, mode)
    try:
        partial.replace(path)
    except OSError as error:
        partial.unlink()
        raise OSError(error.errno, error.strerror, str(path)) from None
    _synced(path.parent)


def why_unwritable(path: Path) -> str | None:
    """Why a file could not be written, or made, there; None if it could. Nothing is opened or made."""
    place = path if path.exists() else path.parent
    if place == path and path.is_dir():
        return os.strerror(errno.EISDIR)
    if not place.exists():
        return os.strerror(errno.ENOENT)
    asked = os.W_OK if place == path else os.W_OK | os.X_OK
    return None if os.access(place, asked) else os.strerror(errno.EACCES)


def _synced(folder: Path) -> None:
    """The name of the file outlives a power failure too, where the disk can promise it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _written(path: Path, named: Path, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(named)) from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)  # whatever the mask of the process takes away
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise OSError(error.errno, error.strerror, str(named)) from None
