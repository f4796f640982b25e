"""The key with which a chain is made, so that nobody without it can make one."""

from __future__ import annotations

from pathlib import Path

_LEAST, _MOST = 32, 4096


class KeyFileError(Exception):
    """It cannot be read, or is no key. The message is one lower-case sentence, and holds nothing of it."""


def read_key(path: Path) -> bytes:
    """The bytes of a file, without white space at its end, as `openssl rand -hex 32` makes them.

    Raises `KeyFileError`.
    """
    try:
        with path.open("rb") as file:
            key = file.read(_MOST + 1).rstrip()
    except OSError as error:
        raise KeyFileError(f"`{path}` cannot be read: {error.strerror}") from None
    if not _LEAST <= len(key) <= _MOST:
        raise KeyFileError(f"`{path}` does not hold {_LEAST} to {_MOST} bytes, as a key does")
    return key
