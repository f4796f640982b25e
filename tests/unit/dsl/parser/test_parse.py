"""What parsing answers with: statements, comments, single lines, and what is left after an error."""

from __future__ import annotations

import gc

import pytest

from meshproof.dsl.ast.claims import CanReach, OnlyReaches
from meshproof.dsl.ast.declarations import Service
from meshproof.dsl.ast.rules import Rule
from meshproof.dsl.ast.tests import Case, CaseRequest, ExpectAllow
from meshproof.dsl.parser import parse, parse_line, statement_words
from meshproof.dsl.source import SourceFile, Span


def source(text: str) -> SourceFile:
    return SourceFile("x.mesh", text)


@pytest.mark.parametrize("text", ["", "\n", "  # nothing\n", "\t\r\n"])
def test_an_empty_file_is_an_empty_document(text: str) -> None:
    parsed = parse(source(text))

    assert parsed.is_sound
    assert parsed.document.statements == ()
    assert parsed.document.span == Span("x.mesh", 0, len(text))


def test_comments_are_kept_with_their_places() -> None:
    parsed = parse(source('#one\nallow a -> b { # two \n  because "# none"\n}\n## three'))

    assert [(comment.text, comment.span.start) for comment in parsed.document.comments] == [
        ("one", 0),
        (" two", 20),
        ("# three", 48),
    ]


def test_comments_are_not_compared() -> None:
    assert parse(source("# x\nallow a -> b")).document == parse(source("allow a -> b")).document


def test_statements_round_an_error_are_read() -> None:
    parsed = parse(source("service a {}\nallow a => b\nservice c {}\nservice d { port }\nservice e {}\n"))

    names = [statement.name.text for statement in parsed.document.statements if isinstance(statement, Service)]
    assert names == ["a", "c", "e"]
    assert len(parsed.diagnostics) == 2
    assert not any(isinstance(statement, Rule) for statement in parsed.document.statements)


def test_a_word_within_a_broken_block_does_not_begin_a_statement() -> None:
    parsed = parse(source("mesh m {\n    bogus 1\n    namespace shop\n    mtls strict\n}\nservice a {}\n"))

    assert len(parsed.diagnostics) == 1
    assert [type(statement) for statement in parsed.document.statements] == [Service]


def test_a_block_that_is_not_indented_is_read_and_its_errors_stay_in_it() -> None:
    parsed = parse(source("mesh m {\nnamespace shop\nmtls strict\nbogus\n}\nservice a {}\n"))

    assert [diagnostic.code for diagnostic in parsed.diagnostics] == ["MP121"]


def test_comments_are_not_doubled_when_parsing_goes_on_at_an_earlier_place() -> None:
    parsed = parse(source("service a { port http 80\n# here\nservice b {} # there\n"))

    assert [comment.text for comment in parsed.document.comments] == [" here", " there"]


def test_a_warning_would_leave_a_document_sound_and_an_error_does_not() -> None:
    assert parse(source("allow a -> b")).is_sound
    assert not parse(source("allow a -> b { until 2027-02-31 }")).is_sound


def test_the_collector_is_on_again_after_parsing() -> None:
    assert gc.isenabled()
    parse(source("allow a ->"))
    assert gc.isenabled()


def test_the_collector_stays_off_if_it_was() -> None:
    gc.disable()
    try:
        parse(source("allow a -> b"))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_words_that_statements_begin_with() -> None:
    assert {"mesh", "allow", "audit", "waive", "use", "test", "mtls", "value"} <= statement_words()
    assert "when" not in statement_words()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("only a reaches b:http GET /x when has token", OnlyReaches),
        ("a can reach b", CanReach),
        ("a -> b:http GET /x => allow by r", Case),
        ("a -> b:http GET /x with token invalid", CaseRequest),
        ("plaintext -> b", CaseRequest),
        ("internet -> edge:https GET /", CaseRequest),
    ],
)
def test_a_single_line_is_read(text: str, kind: type) -> None:
    parsed = parse_line(source(text))

    assert parsed.diagnostics == ()
    assert isinstance(parsed.line, kind)


def test_a_test_line_says_what_is_expected() -> None:
    line = parse_line(source("a -> b => allow")).line

    assert isinstance(line, Case)
    assert line.outcome == ExpectAllow()


@pytest.mark.parametrize("text", ["", "allow a -> b", "a -> b => allow\na -> c => deny", "a can", "a -> b GET /x/**"])
def test_what_is_no_single_line_is_a_finding(text: str) -> None:
    parsed = parse_line(source(text))

    assert parsed.line is None
    assert len(parsed.diagnostics) == 1
