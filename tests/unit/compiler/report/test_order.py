"""The order of findings never depends on the order in which they were made."""

from __future__ import annotations

import random

from tests.unit.compiler.report.samples import diagnostic

from meshproof.compiler.report.model import Finding
from meshproof.compiler.report.order import in_order
from meshproof.dsl.diagnostic import Label, Severity
from meshproof.dsl.source import Span


def at(file: str, start: int, code: str = "MP301", severity: Severity = Severity.ERROR, message: str = "m") -> Finding:
    label = Label(Span(file, start, start + 1), is_primary=True)
    return Finding(diagnostic(code, severity, labels=(label,), message=message))


def test_by_file_place_severity_code_and_message() -> None:
    expected = [
        Finding(diagnostic(labels=())),
        at("a", 1),
        at("a", 9),
        at("b", 1, "MP302"),
        at("b", 1, "MP301", Severity.WARNING, "l"),
        at("b", 1, "MP301", Severity.WARNING, "m"),
        at("b", 1, "MP300", Severity.INFO),
    ]
    mixed = list(expected)
    random.shuffle(mixed)

    assert in_order(mixed) == expected
