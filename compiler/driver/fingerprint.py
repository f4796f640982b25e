"""Fingerprints of findings: stable while the finding is about the same text, whatever happens around it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from meshproof.compiler.report.model import Finding
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import SourceFile

_LENGTH = 16


def fingerprinted(findings: Iterable[Finding], sources: Mapping[str, SourceFile]) -> tuple[Finding, ...]:
    """The findings, each with a fingerprint of its own.

    It is made of code, file, subject and the text at the primary label with its blanks folded; where these are equal,
    of the message and an ordinal too. A fingerprint that is there already is one of those parts.
    """
    seen: Counter[str] = Counter()
    result = []
    for finding in findings:
        base = _digest(*_parts(finding.diagnostic, sources))
        seen[base] += 1
        mark = base if seen[base] == 1 else _digest(base, finding.diagnostic.message, str(seen[base]))
        result.append(replace(finding, diagnostic=replace(finding.diagnostic, fingerprint=mark)))
    return tuple(result)


def _parts(diagnostic: Diagnostic, sources: Mapping[str, SourceFile]) -> tuple[str, ...]:
    span = diagnostic.primary
    if span is None:
        return diagnostic.code, "", diagnostic.subject, diagnostic.message, diagnostic.fingerprint
    source = sources.get(span.file)
    text = " ".join(source.text[span.start : span.end].split()) if source else ""
    return diagnostic.code, span.file, diagnostic.subject, text, diagnostic.fingerprint


def _digest(*parts: str) -> str:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:_LENGTH]
