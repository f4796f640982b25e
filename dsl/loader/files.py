"""Finding and reading files; the only place of the language that touches the disk."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.problems import found
from meshproof.dsl.source import Span

SUFFIX = ".mesh"
EVIDENCE = "manifest.json"
EVIDENCE_SCHEMA = "meshproof/evidence/v1"
"""How a folder of evidence is known: by this file, which has this schema and lists all others."""
_LARGEST_MANIFEST = 64 * 1024 * 1024


class TooLargeError(Exception):
    """A file has more bytes than may be read."""


class NoFileError(OSError):
    """A path is a folder, device or pipe."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The folder that paths are shown relative to, and the one that nothing may be read outside of."""

    root: Path
    boundary: Path

    def shown(self, path: Path) -> str:
        """A path for people: relative, with forward slashes, every character visible."""
        return visible(os.path.relpath(path, self.root))

    def holds(self, path: Path) -> bool:
        """Whether a path, with all links followed, is inside the boundary."""
        return real_path(path).is_relative_to(self.boundary)


def visible(path: str | Path) -> str:
    """A path with forward slashes and every character visible."""
    text = os.fsencode(path).decode(errors="replace").replace(os.sep, "/")
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def real_path(path: Path) -> Path:
    """The path with all links followed, as far as it exists; a circle of links ends it."""
    return Path(os.path.realpath(path))


def tree_of(paths: tuple[Path, ...], boundary: Path | None) -> Tree:
    """The tree of what was named: the one folder, or the closest folder above all.

    Without a boundary it is the closest folder upwards that is a work tree of git, else the root itself.
    """
    folders = [path if path.is_dir() else path.parent for path in (Path(os.path.abspath(path)) for path in paths)]  # noqa: PTH100 - a link that was named stays
    root = Path(os.path.commonpath(folders)) if folders else Path.cwd()
    if boundary is None:
        real = real_path(root)
        boundary = next((folder for folder in (real, *real.parents) if (folder / ".git").exists()), real)
    return Tree(root, real_path(boundary))


def read(path: Path, limit: int) -> bytes:
    """The bytes of a file.

    Raises:
        TooLargeError: it has more than `limit` bytes; no more than that is read.
        OSError: it cannot be read, or is no file (a pipe is not waited for).
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:  # noqa: PTH123 - of a descriptor
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise NoFileError
        data = b"" if status.st_size > limit else file.read(limit + 1)
        if status.st_size > limit or len(data) > limit:
            raise TooLargeError
        return data


def policy_files(folder: Path, tree: Tree, suffixes: tuple[str, ...] = (SUFFIX,)) -> Iterator[Path | Diagnostic]:
    """The files below a folder that end so, sorted; hidden ones are left out, a link that leads out is a finding.

    Evidence below the folder holds copies of what it is about: these are left out too.
    """
    seen: set[Path] = set()
    copies: set[Path] = set()
    pending = [folder]
    while pending:
        current = pending.pop()
        real = real_path(current)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(current) as found_entries:
                entries = sorted((entry.name, _is_folder(entry), entry.is_symlink()) for entry in found_entries)
        except OSError as error:
            yield unreadable(tree.shown(current), error)
            continue
        inner = []
        if current != folder and any(name == EVIDENCE for name, _, _ in entries):
            copies.update(current / copy for copy in _copies_in(current / EVIDENCE))
        for name, is_folder, is_link in entries:
            entry = current / name
            if name.startswith(".") or not (name.endswith(suffixes) or is_folder) or entry in copies:
                continue
            if is_link and not tree.holds(entry):
                yield outside(tree.shown(entry))
            elif is_folder:
                inner.append(entry)
            else:
                yield entry
        pending.extend(reversed(inner))


def _copies_in(manifest: Path) -> tuple[str, ...]:
    """The inputs that a folder of evidence holds, by the manifest of it; none if it is another's manifest."""
    try:
        content = json.loads(read(manifest, _LARGEST_MANIFEST))
    except (OSError, TooLargeError, ValueError, RecursionError):
        return ()
    if not isinstance(content, dict) or content.get("schema") != EVIDENCE_SCHEMA:
        return ()
    files = content.get("files")
    return (EVIDENCE, *files) if isinstance(files, dict) else ()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def unreadable(shown: str, error: OSError | ValueError, path: Path | None = None) -> Diagnostic:
    """The finding for what cannot be read; `path` is looked at for why."""
    if isinstance(error, FileNotFoundError) and path is not None and path.is_symlink():
        reason = "it is a link to nothing"
    elif isinstance(error, NoFileError | IsADirectoryError):
        reason = "it is no file"
    elif isinstance(error, OSError) and error.strerror:
        reason = error.strerror.lower()
    else:
        reason = "it is no path"
    return found("MP001", f"`{shown}` cannot be read: {reason}", Span(shown, 0, 0))


def nothing_in(shown: str) -> Diagnostic:
    """The finding for a folder without policy files."""
    message = "the folder holds no policy file" if shown == "." else f"the folder `{shown}` holds no policy file"
    return found("MP006", message, Span(shown, 0, 0), help="policy files end in `.mesh`")


def outside(shown: str) -> Diagnostic:
    """The finding for a link that leads out of the repository."""
    advice = "put the file itself there"
    return found("MP007", f"the link `{shown}` leads out of the repository", Span(shown, 0, 0), help=advice)
