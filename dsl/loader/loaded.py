"""What loading answers with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from meshproof.dsl.ast.document import Document
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.dsl.parser import MAX_DEPTH
from meshproof.dsl.source import SourceFile

MEBIBYTE = 1024 * 1024

PackReader: TypeAlias = Callable[[str], str | None]
"""The text of a pack by its name, or `None` if there is none of that name."""


def no_packs(_name: str) -> None:
    """A reader that knows no pack."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is refused before it is parsed: bytes of one file, bytes of all, depth of brackets."""

    max_file_bytes: int = 8 * MEBIBYTE
    max_policy_bytes: int = 64 * MEBIBYTE
    max_depth: int = MAX_DEPTH


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class LoadedDocument:
    """One file that was read: its text and its tree."""

    source: SourceFile
    document: Document


@dataclass(frozen=True, slots=True)
class Loaded:
    """A policy as files.

    `documents` are sorted by path and hold each file once, used files and packs among them. `sources` are all files
    that a diagnostic may point into, also those that could not be read. `packs` tells by the name of a pack which
    file it is shown as. `root` is the folder that shown paths are relative to, `None` for texts from memory.
    """

    root: Path | None
    documents: tuple[LoadedDocument, ...]
    sources: tuple[SourceFile, ...]
    packs: tuple[tuple[str, str], ...]
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every file was read whole: only then do the documents say all that the policy says."""
        return not any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)

    @property
    def trees(self) -> tuple[Document, ...]:
        """The trees of the documents."""
        return tuple(loaded.document for loaded in self.documents)
