"""Policies as they are in a revision of git: read out of its objects, never checked out.

What may hold a policy is laid down in a folder of its own, so that a revision is read as any folder is. Names go to git
behind `--end-of-options`, and after the first question by the hash that it answered; no shell sees them, no hook runs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from meshproof.compiler.driver.inputs import MANIFEST_SUFFIXES
from meshproof.dsl.loader import Limits
from meshproof.dsl.loader.files import SUFFIX

FORCED = "git:"
_FILE, _EXECUTABLE, _LINK = "100644", "100755", "120000"
_CHUNK = 1 << 16
_SETTINGS = ("--no-pager", "--no-replace-objects", "-c", "core.fsmonitor=false", "-c", "core.quotePath=false")


class RevisionError(Exception):
    """A revision cannot be read; `args[0]` is one sentence about it."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision of the repository at `top`: its name as it was given, its hash, and the place in it that is meant."""

    name: str
    commit: str
    top: Path
    inside: PurePosixPath


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    object: str
    path: PurePosixPath


def find_revision(text: str, at: Path, other: str) -> Revision:
    """The revision that `REV`, `REV:PATH` or either behind `git:` names, in the repository of the folder `at`.

    PATH is from the root of the repository, or with `./` in front from `at`. Without one it is that of the other side,
    `other`, or where that is a path the same path; else `at`. Raises RevisionError.
    """
    name, colon, path = text.removeprefix(FORCED).partition(":")
    if not name or name.startswith("-") or not name.isprintable():
        raise RevisionError(f"`{text}` is no file or folder, and no revision of git")
    try:
        top = Path(_git(at, "rev-parse", "--show-toplevel").decode(errors="surrogateescape").rstrip("\n"))
    except RevisionError as error:
        raise RevisionError(f"`{text}` is no file or folder, and no revision: {error}") from None
    try:
        found = _git(at, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except RevisionError:
        raise RevisionError(f"`{text}` is no file or folder, and `{name}` no revision of git") from None
    commit = found.decode("ascii", errors="replace").strip()
    if not colon:
        other_path = path_named(other)
        colon, path = other.removeprefix(FORCED).partition(":")[1:] if other_path is None else ("", "")
        if not colon:
            return Revision(name, commit, top, _within(top, at if other_path is None else other_path))
    if path.startswith(("./", "../")) or path in {".", ".."}:
        inside = _within(top, at / path)
    else:
        inside = _inside(PurePosixPath(path or "."), text)
    return Revision(name, commit, top, inside)


def path_named(name: str) -> Path | None:
    """The file or folder that is there by that name, None if a revision is meant."""
    path = Path(name)
    try:
        return None if name.startswith(FORCED) or not path.exists() else path
    except (OSError, ValueError):
        return None


@contextmanager
def laid_down(revision: Revision, limits: Limits) -> Iterator[Path]:
    """The file or folder of a revision, in a folder that is gone afterwards. Raises RevisionError."""
    with tempfile.TemporaryDirectory(prefix="meshproof-") as folder:
        root = Path(folder) / (revision.top.name or "repository")
        root.mkdir()
        (root / ".git").mkdir()  # the loader reads nothing outside of a repository
        entries = tuple(_entries(revision))
        _write(revision, entries, root, limits.max_file_bytes + 1)
        place = root / revision.inside
        if not place.exists() and not place.is_symlink():
            raise RevisionError(f"`{revision.name}` has no policy at `{revision.inside}`")
        yield place


def _entries(revision: Revision) -> Iterator[_Entry]:
    """The files of the revision that may hold a policy: those of the language anywhere, others at the place meant."""
    listed = _git(revision.top, "ls-tree", "-r", "-z", "--full-tree", revision.commit)
    for line in listed.split(b"\0"):
        head, tab, name = line.partition(b"\t")
        if not tab:
            continue
        mode, _, found = head.decode("ascii").split(" ")
        path = PurePosixPath(os.fsdecode(name))
        is_meant = path == revision.inside or revision.inside in path.parents
        is_policy = path.name.endswith(SUFFIX) or (is_meant and path.name.endswith(MANIFEST_SUFFIXES))
        is_wanted = is_policy or path == revision.inside or mode == _LINK
        if mode in {_FILE, _EXECUTABLE, _LINK} and is_wanted and _is_harmless(path):
            yield _Entry(mode, found, path)


def _is_harmless(path: PurePosixPath) -> bool:
    """Whether a path of a tree stays below the folder that it is written to, which git sees to, but no one must."""
    return not path.is_absolute() and all(
        part not in {"..", ".git"} and part.casefold() != ".git" for part in path.parts
    )


def _write(revision: Revision, entries: tuple[_Entry, ...], root: Path, most: int) -> None:
    """Write the files, each up to so many bytes: one byte more than may be read tells that there is more."""
    with subprocess.Popen(  # noqa: S603  nothing here was named by anyone
        (_program(), *_SETTINGS, "cat-file", "--batch"),
        cwd=revision.top,
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for entry in entries:
            process.stdin.write(f"{entry.object}\n".encode("ascii"))
            process.stdin.flush()
            data = _blob(process.stdout, most, entry)
            target = root / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            if entry.mode == _LINK:
                _link(target, data, entry)
            else:
                target.write_bytes(data)
        process.stdin.close()


def _blob(stream: IO[bytes], most: int, entry: _Entry) -> bytes:
    """The first bytes of the object that git writes next; the rest is read away."""
    head = stream.readline().split()
    if len(head) != 3 or head[1] != b"blob":  # noqa: PLR2004  name, kind, size
        raise RevisionError(f"git does not give `{entry.path}`")
    size = int(head[2])
    kept = stream.read(min(size, most))
    left = size - len(kept) + 1  # and the line end behind it
    while left > 0:
        read = len(stream.read(min(left, _CHUNK)))
        if not read:
            raise RevisionError(f"git does not give all of `{entry.path}`")
        left -= read
    return kept


def _link(target: Path, data: bytes, entry: _Entry) -> None:
    """A link that cannot lead out of the folder: only up from where it stands as far as the root, then down."""
    path = PurePosixPath(os.fsdecode(data))
    ups = 0
    while ups < len(path.parts) and path.parts[ups] == "..":
        ups += 1
    if path.is_absolute() or ups >= len(entry.path.parts) or ".." in path.parts[ups:]:
        return
    target.symlink_to(path)


def _within(top: Path, path: Path) -> PurePosixPath:
    """A place of the work tree as a path of the repository."""
    real = Path(os.path.realpath(path))
    base = Path(os.path.realpath(top))
    if not real.is_relative_to(base):
        raise RevisionError(f"`{path}` is not in the repository of the revision: write `REV:PATH`")
    return PurePosixPath(real.relative_to(base).as_posix())


def _inside(path: PurePosixPath, text: str) -> PurePosixPath:
    if path.is_absolute() or ".." in path.parts:
        raise RevisionError(f"`{text}` leads out of the repository")
    return path


def _git(at: Path, *arguments: str) -> bytes:
    folder = at if at.is_dir() else at.parent
    done = subprocess.run(  # noqa: S603  what was named stands behind `--end-of-options`, and no shell sees it
        (_program(), *_SETTINGS, *arguments),
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RevisionError(said[-1].removeprefix("fatal: ") if said else "git could not answer")
    return done.stdout


def _program() -> str:
    found = shutil.which("git")
    if found is None:
        raise RevisionError("`git` is not installed, so no revision can be read")
    return found


def _environment() -> dict[str, str]:
    """Nothing is fetched, asked for, locked or translated."""
    said = {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }
    return {**os.environ, **said}
