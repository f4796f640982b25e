"""How findings are written down in expectations."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.dsl.diagnostic import Diagnostic, Label
from meshproof.dsl.source import SourceFile


def shown(diagnostics: Iterable[Diagnostic], source: SourceFile) -> str:
    """Every finding with its code, places, texts and help."""
    return "".join(f"{line}\n" for diagnostic in diagnostics for line in _lines(diagnostic, source))


def _lines(diagnostic: Diagnostic, source: SourceFile) -> Iterable[str]:
    primary, *others = sorted(diagnostic.labels, key=lambda label: not label.is_primary)
    yield f"{diagnostic.code} {_place(primary, source)} {diagnostic.message}"
    yield f"    {primary.text}"
    for label in others:
        yield f"    {_place(label, source)} {label.text}"
    yield f"    help: {diagnostic.help}"
    for fix in diagnostic.fixes:
        yield f"    fix: {fix.replacement!r} ({fix.applicability})"


def _place(label: Label, source: SourceFile) -> str:
    start, end = source.position(label.span.start), source.position(label.span.end)
    last = f"{end.column}" if start.line == end.line else f"{end.line}:{end.column}"
    return f"{start.line}:{start.column}-{last}"
