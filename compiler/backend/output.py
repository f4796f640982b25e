"""Writing the output folder: all of it or nothing, and never over what is not ours.

The files are written to a new folder beside the old one, which is kept until the new one is complete. A folder is
ours if its `meshproof.lock` lists what is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from meshproof.compiler.backend.artifact import Artifact

LOCK = "meshproof.lock"
SCHEMA = "meshproof/lock/v1"


class OutputRefusedError(Exception):
    """The folder is not ours to write to; the message says why, in lower case."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written where."""

    folder: Path
    files: tuple[str, ...]


def lock_of(artifacts: tuple[Artifact, ...], *, target: str, source_hash: str, version: str) -> Artifact:
    """The lock file: which policy the files were made from, by what, and their SHA-256."""
    content = {
        "schema": SCHEMA,
        "meshproof": version,
        "target": target,
        "source": source_hash,
        "files": {item.path: hashlib.sha256(item.content).hexdigest() for item in sorted(artifacts)},
    }
    return Artifact(LOCK, (json.dumps(content, indent=2) + "\n").encode())


@dataclass(frozen=True, slots=True)
class Ownership:
    """How a folder is known to be ours: by a file of this name and schema that lists all others under `files`."""

    name: str
    schema: str


COMPILED = Ownership(LOCK, SCHEMA)


def write_output(artifacts: tuple[Artifact, ...], folder: Path, ownership: Ownership = COMPILED) -> Written:
    """Replace `folder` by exactly these files, one of which is the lock.

    Raises `OutputRefusedError` if the folder is neither new, nor empty, nor ours, and `OSError` if the system refuses;
    in both cases what was there before is still there, unchanged.
    """
    if ownership.name not in {item.path for item in artifacts}:
        raise OutputRefusedError(f"the files hold no `{ownership.name}`")
    folder = Path(os.path.abspath(folder))  # noqa: PTH100  a link stays what it is; `resolve` would follow it
    refuse_foreign(folder, ownership)
    folder.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for item in sorted(artifacts):
            _write(staging, item)
        _open_up(staging)
        _swap(staging, folder)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return Written(folder, tuple(sorted(item.path for item in artifacts)))


def refuse_foreign(folder: Path, ownership: Ownership = COMPILED) -> None:
    """Raise `OutputRefusedError` unless the folder is new, empty, or holds only what our lock lists."""
    if folder.is_symlink():
        raise OutputRefusedError(f"`{folder}` is a link")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputRefusedError(f"`{folder}` is not a folder")
    found = {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()
    }
    if not found:
        return
    listed = listed_in(folder / ownership.name, ownership.schema)
    if listed is None:
        raise OutputRefusedError(f"`{folder}` holds files and no `{ownership.name}` of ours")
    if foreign := sorted(found - listed - {ownership.name}):
        raise OutputRefusedError(f"`{folder}` holds `{foreign[0]}`, which we did not write")


def listed_in(lock: Path, schema: str = SCHEMA) -> frozenset[str] | None:
    """The files that a lock lists, relative to its folder; None if it is no lock of ours."""
    try:
        content = json.loads(lock.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("schema") != schema or not isinstance(content.get("files"), dict):
        return None
    return frozenset(content["files"])


def _write(root: Path, item: Artifact) -> None:
    relative = PurePosixPath(item.path)
    if relative.is_absolute() or ".." in relative.parts:
        raise OutputRefusedError(f"`{item.path}` leads out of the output folder")
    path = root.joinpath(*relative.parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(item.content)


def _open_up(folder: Path) -> None:
    """`mkdtemp` makes a folder for its owner alone; the result has the permissions of any other folder."""
    mask = os.umask(0)
    os.umask(mask)
    folder.chmod(0o777 & ~mask)


def _swap(staging: Path, folder: Path) -> None:
    """Put `staging` where `folder` is. The old one is moved aside first and comes back if the second move fails."""
    if not folder.exists():
        staging.rename(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    old = aside / folder.name
    folder.rename(old)
    try:
        staging.rename(folder)
    except OSError:
        old.rename(folder)
        aside.rmdir()
        raise
    shutil.rmtree(aside)
