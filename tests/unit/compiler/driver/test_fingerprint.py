from __future__ import annotations

from meshproof.compiler.driver.fingerprint import fingerprinted
from meshproof.compiler.report.model import Finding
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import SourceFile, Span


def prints(text: str, *words: str, message: str = "m") -> list[str]:
    source = SourceFile("a.mesh", text)
    findings = []
    start = 0
    for word in words:
        start = text.index(word, start)
        label = Label(Span("a.mesh", start, start + len(word)), is_primary=True)
        findings.append(Finding(Diagnostic("MP301", Severity.ERROR, message, (label,))))
        start += 1
    return [one.diagnostic.fingerprint for one in fingerprinted(findings, {"a.mesh": source})]


def test_lines_above_and_blanks_within_change_nothing() -> None:
    assert prints("allow a: b -> c", "allow a: b -> c") == prints("# x\n\nallow  a:\n  b -> c", "allow  a:\n  b -> c")


def test_another_text_is_another_finding() -> None:
    assert prints("allow a: b -> c", "allow a: b -> c") != prints("allow a: b -> d", "allow a: b -> d")


def test_equal_findings_are_told_apart() -> None:
    first, second = prints("x x", "x", "x")

    assert first != second
    assert first == prints("x", "x")[0]


def test_a_finding_without_a_place_has_one_too() -> None:
    (found,) = fingerprinted([Finding(Diagnostic("MP001", Severity.ERROR, "m"))], {})

    assert found.diagnostic.fingerprint
