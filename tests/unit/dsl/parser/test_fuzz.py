"""Nothing that is read makes the parser or the formatter raise, and every finding has a place."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshproof.dsl.format import format_source
from meshproof.dsl.loader import load, load_texts
from meshproof.dsl.parser import parse, parse_line
from meshproof.dsl.parser.engine import MAX_ERRORS
from meshproof.dsl.parser.lexer import RESERVED
from meshproof.dsl.source import SourceFile

GOLDEN = Path(__file__).parents[3] / "golden" / "dsl"
POLICIES = [path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("*.mesh"))]
SNIPPETS = st.sampled_from(
    [
        *("{", "}", "(", ")", "[", "]", '"', "'", "#", "\n", " ", "\t", "\\", "->", "=>", "==", "!=", "*", ":", ","),
        *(
            "/",
            "/**",
            "/{a",
            "$",
            "$x",
            're"',
            "GET",
            "get",
            "call",
            "a.b/C",
            "95%",
            "2s",
            "2027-02-31",
            "5xx",
            "MP305",
        ),
        *("\x00", "\u202e", "\ud800", "é", "99999999999999999999", "1e9", "allow", "mesh", "when", "\r", "\ufeff"),
        *sorted(RESERVED),
    ]
)


def is_read(text: str) -> bool:
    """Whether everything that reads a text agrees on whether it can be read."""
    source = SourceFile("x.mesh", text)
    parsed = parse(source)
    assert len(parsed.diagnostics) <= 2 * MAX_ERRORS + 20 + text.count("\n")
    for diagnostic in parsed.diagnostics:
        assert diagnostic.message
        for label in diagnostic.labels:
            assert label.span.file == "x.mesh"
            assert 0 <= label.span.start <= label.span.end <= len(text)
    assert (format_source(source).text is None) == (not parsed.is_sound)
    line = parse_line(source)
    return (line.line is None) == bool(line.diagnostics)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    assert is_read(text)


@given(st.lists(SNIPPETS, max_size=40), st.sampled_from(["", " "]))
def test_any_heap_of_words_and_signs(snippets: list[str], between: str) -> None:
    assert is_read(between.join(snippets))


@given(st.sampled_from(POLICIES), st.data())
def test_a_policy_with_pieces_taken_out_put_in_and_doubled(policy: str, data: st.DataObject) -> None:
    text = policy
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.integers(0, 30)))
        inserted = data.draw(st.one_of(st.just(""), SNIPPETS, st.just(text[start:end] * 2)))
        text = text[:start] + inserted + text[end:]
    assert is_read(text)


@given(st.binary(max_size=200), st.sampled_from(POLICIES))
def test_any_bytes(tmp_path_factory: pytest.TempPathFactory, content: bytes, policy: str) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    (folder / "a.mesh").write_bytes(content)
    (folder / "b.mesh").write_bytes(policy.encode()[: len(content)] + content)

    loaded = load([folder])

    assert {source.path for source in loaded.sources} == {"a.mesh", "b.mesh"}
    assert all(label.span.file in {"a.mesh", "b.mesh"} for found in loaded.diagnostics for label in found.labels)


@pytest.mark.parametrize(
    "opening", ["{", "(", "[", "/{", "a {", "zone z = {", '"', "# ", "x.", "a-", "/(", "allow a -> {"]
)
def test_what_never_ends_is_read_in_good_time(opening: str) -> None:
    text = opening * 20_000

    parsed = parse(SourceFile("x.mesh", text))

    assert parsed.diagnostics or not parsed.document.statements


def test_a_file_of_nothing_but_errors_stops_at_a_limit() -> None:
    parsed = parse(SourceFile("x.mesh", "servce a { }\n" * 1000))

    assert len(parsed.diagnostics) == MAX_ERRORS


def test_texts_from_memory_may_hold_lone_surrogates() -> None:
    assert [found.code for found in load_texts({"a.mesh": "allow \ud800"}).diagnostics] == ["MP002"]
