"""Writing one file: all of it or nothing."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Give a file other bytes. Whoever reads it meanwhile, or after a crash, finds the old ones or the new ones.

    A link stays a link, and the file keeps its permissions. A new file gets the usual ones.

    Raises:
        OSError: it cannot be written; then it is unchanged.
    """
    real = Path(os.path.realpath(path))
    if real.exists() and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    descriptor, name = tempfile.mkstemp(prefix=".meshproof.", dir=real.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        _permit(draft, real)
        draft.replace(real)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _permit(draft: Path, real: Path) -> None:
    """Give a draft, which is its owner's alone, the permissions of the file that it takes the place of."""
    try:
        old = real.stat()
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        draft.chmod(0o666 & ~mask)
        return
    new = draft.stat()
    if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        try:
            os.chown(draft, old.st_uid, old.st_gid)
        except PermissionError:
            # Only root gives files away. The group may read and write what it could: it gets no more than it had.
            draft.chmod(stat.S_IMODE(old.st_mode) & ~(stat.S_ISUID | stat.S_ISGID))
            return
    draft.chmod(stat.S_IMODE(old.st_mode))
