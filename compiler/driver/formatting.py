"""Files in the one layout: each read, laid out and, if that is asked for, rewritten on its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from meshproof.compiler.driver.writing import replace_file
from meshproof.dsl.diagnostic import Diagnostic
from meshproof.dsl.format import format_document
from meshproof.dsl.loader import files
from meshproof.dsl.loader.text import decode, too_large
from meshproof.dsl.parser import Parsed, parse
from meshproof.dsl.source import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

STDIN = "<stdin>"


@dataclass(frozen=True, slots=True)
class Formatting:
    """A text as it was read and in the one layout; `after` is None if it has errors, which `diagnostics` tell.

    `source` is named as the file was, and `path` is None for a text from stdin.
    """

    source: SourceFile
    diagnostics: tuple[Diagnostic, ...]
    path: Path | None = None
    before: bytes = b""
    after: str | None = None

    @property
    def is_changed(self) -> bool:
        """Whether the layout is another than that of the file."""
        return self.after is not None and self.after.encode() != self.before

    def rewrite(self) -> None:
        """Write the text in the one layout over the file, all of it or nothing; permissions stay.

        Raises:
            OSError: the file cannot be written; then it is unchanged.
        """
        assert self.path is not None
        assert self.after is not None
        replace_file(self.path, self.after.encode())


class _AsNamed(files.Tree):
    """Paths are shown as they were named: what is rewritten is no part of a policy yet."""

    __slots__ = ()

    def shown(self, path: Path) -> str:
        """The path, every character visible."""
        return files.visible(path)


def format_files(paths: Sequence[Path], limit: int) -> Iterator[Formatting]:
    """Each file, and each policy file below the folders, once, in the order of the paths.

    What is larger than `limit` bytes, or cannot be read, is a finding.
    """
    boundary = files.tree_of(tuple(paths), None).boundary
    tree = _AsNamed(Path(), boundary)
    seen: set[Path] = set()
    for path in paths:
        for entry in _entries(path, tree):
            if isinstance(entry, Diagnostic):
                yield _left_alone(entry)
                continue
            try:
                real = files.real_path(entry)
            except ValueError as error:
                yield _left_alone(files.unreadable(tree.shown(entry), error))
                continue
            if real not in seen:
                seen.add(real)
                yield _file(entry, tree.shown(entry), limit)


def format_text(data: bytes, limit: int, shown: str = STDIN, path: Path | None = None) -> Formatting:
    """The bytes of a file, or of stdin, in the one layout."""
    if len(data) > limit:
        return _left_alone(too_large(shown, limit))
    text = decode(shown, data)
    if text.problem is not None:
        return Formatting(text.source, (text.problem,), path, data)
    parsed = parse(text.source)
    if not parsed.is_sound:
        return Formatting(text.source, parsed.diagnostics, path, data)
    after = format_document(parsed.document, text.source)
    again = parse(SourceFile(shown, after))
    # A policy is never rewritten into another one, whatever mistake the formatter may have.
    if not again.is_sound or again.document != parsed.document or _comments(again) != _comments(parsed):
        raise RuntimeError(f"the layout of {shown} would change what it says")
    return Formatting(text.source, parsed.diagnostics, path, data, after)


def _entries(path: Path, tree: files.Tree) -> Iterator[Path | Diagnostic]:
    try:
        is_folder = path.is_dir()
    except (OSError, ValueError) as error:
        yield files.unreadable(tree.shown(path), error)
        return
    if not is_folder:
        yield path
        return
    entries = list(files.policy_files(path, tree))
    yield from entries or [files.nothing_in(tree.shown(path))]


def _file(path: Path, shown: str, limit: int) -> Formatting:
    try:
        return format_text(files.read(path, limit), limit, shown, path)
    except files.TooLargeError:
        return _left_alone(too_large(shown, limit))
    except (OSError, ValueError) as error:
        return _left_alone(files.unreadable(shown, error))


def _comments(parsed: Parsed) -> list[str]:
    """The words of the comments: the blank behind `#` is a matter of layout, and a comment may move with its line."""
    return sorted(comment.text.strip() for comment in parsed.document.comments)


def _left_alone(diagnostic: Diagnostic) -> Formatting:
    at = diagnostic.primary
    return Formatting(SourceFile(at.file if at else "", ""), (diagnostic,))
