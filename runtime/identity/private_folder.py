"""A folder of secrets: ours alone, no link, and every file in it written whole, with mode 0600 from the first byte."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.pem import MOST_BYTES

_MODE = 0o600


class PrivateFolder:
    """An open folder. All is done by its descriptor: what happens to its path meanwhile leads nowhere else."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def names(self) -> list[str]:
        """What is in it, in order, without what a writer has left behind."""
        return sorted(name for name in os.listdir(self._descriptor) if name[0] != ".")  # noqa: PTH208  by descriptor

    def read(self, name: str) -> bytes:
        """The content of a file that is no link. Raises `CredentialsError`."""
        try:
            descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=self._descriptor)
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise CredentialsError(f"`{self.path / name}` is no file")
                with os.fdopen(os.dup(descriptor), "rb") as file:
                    return file.read(MOST_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise CredentialsError(f"`{self.path / name}` cannot be read: {error.strerror}") from None

    def write(self, name: str, content: bytes, *, replaces: bool) -> None:
        """Put a file there, whole. Without `replaces` nothing of that name may be there. Raises `CredentialsError`.

        What is no file (a link, a folder) is never replaced. Whatever fails, what was there is there still.
        """
        partial = f".{name}.{secrets.token_hex(8)}"
        try:
            self._check(name)
            try:
                self._write(partial, content)
                if replaces:
                    os.rename(partial, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
                else:
                    os.link(partial, name, src_dir_fd=self._descriptor, dst_dir_fd=self._descriptor)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(partial, dir_fd=self._descriptor)
            os.fsync(self._descriptor)
        except FileExistsError:
            raise CredentialsError(f"`{self.path / name}` is there already") from None
        except OSError as error:
            raise CredentialsError(f"`{self.path / name}` cannot be written: {error.strerror}") from None

    def remove(self, name: str) -> None:
        """Take a file away. Raises `CredentialsError`."""
        try:
            os.unlink(name, dir_fd=self._descriptor)
        except OSError as error:
            raise CredentialsError(f"`{self.path / name}` cannot be removed: {error.strerror}") from None

    def _check(self, name: str) -> None:
        with suppress(FileNotFoundError):
            found = os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                raise CredentialsError(f"`{self.path / name}` is no file, so it is not replaced")

    def _write(self, name: str, content: bytes) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        descriptor = os.open(name, flags, _MODE, dir_fd=self._descriptor)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, _MODE)  # whatever the mask of the process takes away
            file.write(content)
            file.flush()
            os.fsync(descriptor)


@contextmanager
def private_folder(path: Path, *, may_make: bool = False) -> Iterator[PrivateFolder]:
    """The folder, which is no link, is ours, and is written by nobody else. Raises `CredentialsError`.

    One process at a time has it. `may_make`: a folder that is not there is made, for us alone (0700), in one that is.
    """
    try:
        if may_make:
            with suppress(FileExistsError):
                path.mkdir(mode=0o700)
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        is_alone = may_make and not path.parent.is_dir()
        why = "it is a link" if path.is_symlink() else error.strerror
        why = f"there is no folder `{path.parent}` to make it in" if is_alone else why
        raise CredentialsError(f"`{path}` cannot be opened: {why}") from None
    try:
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            raise CredentialsError(f"`{path}` belongs to somebody else")
        if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise CredentialsError(f"others may write to `{path}`")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield PrivateFolder(path, descriptor)
    finally:
        os.close(descriptor)
