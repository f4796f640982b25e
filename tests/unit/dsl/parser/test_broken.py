"""Broken texts: each with the finding that a person reads, its place and its help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.unit.dsl.shown import shown

from meshproof.dsl.format import format_source
from meshproof.dsl.parser import parse
from meshproof.dsl.problems import BY_CODE
from meshproof.dsl.source import SourceFile

FOLDER = Path(__file__).parents[1] / "broken"
TEXTS = sorted(FOLDER.glob("*.mesh"))


def read(path: Path) -> SourceFile:
    return SourceFile(path.name, path.read_bytes().decode())


def test_there_are_enough() -> None:
    assert len(TEXTS) >= 100


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_the_finding_is_what_is_expected(path: Path, *, update_golden: bool) -> None:
    source = read(path)

    found = shown(parse(source).diagnostics, source)

    expected = path.with_suffix(".expected")
    if update_golden:
        expected.write_text(found, encoding="utf-8")
    assert found == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_finding_has_a_place_and_helps(path: Path) -> None:
    source = read(path)

    diagnostics = parse(source).diagnostics

    assert diagnostics
    for diagnostic in diagnostics:
        assert diagnostic.code in BY_CODE
        assert diagnostic.help
        assert re.match(r"[^A-Z].*[^.]$", diagnostic.message)
        for label in diagnostic.labels:
            assert label.span.file == path.name
            assert 0 <= label.span.start < label.span.end <= len(source.text)


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_a_broken_text_is_never_formatted(path: Path) -> None:
    assert format_source(read(path)).text is None


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_safe_fix_mends_what_it_is_for(path: Path) -> None:
    source = read(path)
    for diagnostic in parse(source).diagnostics:
        for fix in diagnostic.fixes:
            text = source.text[: fix.span.start] + fix.replacement + source.text[fix.span.end :]
            after = parse(SourceFile(path.name, text)).diagnostics
            assert not any(
                (other.code, other.primary and other.primary.start)
                == (diagnostic.code, diagnostic.primary and diagnostic.primary.start)
                for other in after
            )
