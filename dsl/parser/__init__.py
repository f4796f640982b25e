"""From text to tree.

`parse` never raises on bad input: it answers with what it could read and with findings, each at its place.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache

from meshproof.dsl.ast.claims import Claim
from meshproof.dsl.ast.document import Document
from meshproof.dsl.ast.tests import Case, CaseRequest
from meshproof.dsl.diagnostic import Diagnostic, Severity
from meshproof.dsl.parser.characters import hidden_characters
from meshproof.dsl.parser.engine import MAX_ERRORS, Engine, Trouble
from meshproof.dsl.parser.syntax_errors import explain
from meshproof.dsl.parser.table import load
from meshproof.dsl.source import SourceFile
from meshproof.dsl.tree_to_ast.files import TreeBuilder

MAX_DEPTH = 64
"""How deeply braces, brackets and parentheses may be nested."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was read of one file. `document` holds the statements that could be read; it is never missing."""

    source: SourceFile
    document: Document
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with the text: only then is the document the whole file."""
        return not any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """What was read of one claim or test line; `line` is `None` if there is an error."""

    source: SourceFile
    line: Claim | Case | CaseRequest | None
    diagnostics: tuple[Diagnostic, ...]


def parse(source: SourceFile, *, max_depth: int = MAX_DEPTH) -> Parsed:
    """Read one file."""
    result, diagnostics, engine = _run(source, "document", max_depth)
    document = result if isinstance(result, Document) else Document()
    return Parsed(source, replace(document, comments=tuple(engine.comments)), diagnostics)


def parse_line(source: SourceFile, *, max_depth: int = MAX_DEPTH) -> ParsedLine:
    """Read one claim or one test line, the latter with or without `=> OUTCOME`."""
    result, diagnostics, _ = _run(source, "line", max_depth)
    is_line = not diagnostics and isinstance(result, Claim | Case | CaseRequest)
    return ParsedLine(source, result if is_line else None, diagnostics)  # type: ignore[arg-type] # as just tested


def _run(source: SourceFile, start: str, max_depth: int) -> tuple[object | None, tuple[Diagnostic, ...], Engine]:
    builder = TreeBuilder(source.path, source.text)
    builder.findings.extend(hidden_characters(source))
    engine = Engine(builder, max_depth=max_depth, statement_words=statement_words())
    errors = 0

    def on_error(trouble: Trouble) -> bool:
        nonlocal errors
        errors += 1
        builder.findings.append(explain(trouble, source))
        return errors < MAX_ERRORS and start == "document"

    with _collector_paused():
        result = engine.parse(start, on_error)
    return result, _ordered(builder.findings), engine


def _ordered(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Each finding once, by place; a hidden character is not also reported as one that means nothing."""
    hidden = {finding.primary for finding in findings if finding.code == "MP107"}
    kept = [finding for finding in findings if finding.code != "MP106" or finding.primary not in hidden]
    return tuple(dict.fromkeys(sorted(kept, key=_place)))


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Leave the garbage collector out: a tree has no cycles, and looking for them is a quarter of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _place(diagnostic: Diagnostic) -> tuple[int, str]:
    at = diagnostic.primary
    return (at.start if at else 0), diagnostic.code


@cache
def statement_words() -> frozenset[str]:
    """The words that statements begin with."""
    table = load()
    return frozenset(
        name[1:].lower().replace("_", "-") for name in table.expected(table.starts["document"]) if name.startswith("_")
    )
