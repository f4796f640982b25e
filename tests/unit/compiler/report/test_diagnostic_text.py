"""One finding as text."""

from __future__ import annotations

from tests.unit.compiler.report.samples import FILE, SOURCE, diagnostic

from meshproof.compiler.report.diagnostic_text import diagnostic_lines
from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import Finding, Report
from meshproof.dsl.diagnostic import Diagnostic, Evidence, Label, Severity
from meshproof.dsl.source import SourceFile, Span

PLAIN = Look()
BASE = Report("check", environments=("dev", "prod"), sources={FILE: SOURCE})


def drawn(
    shown: Diagnostic,
    look: Look = PLAIN,
    environments: tuple[str, ...] = (),
    report: Report = BASE,
) -> list[str]:
    return "\n".join(diagnostic_lines(Finding(shown, environments), report, look)).splitlines()


def test_without_a_place_there_is_a_headline_and_what_is_to_be_said() -> None:
    assert drawn(diagnostic(labels=(), help="do so")) == ["error[MP301]: rule `peek` is open", "  = help: do so"]


def test_a_file_that_could_not_be_read_is_named_and_no_line_is_drawn() -> None:
    unread = diagnostic(labels=(Label(Span("x.mesh", 0, 0), is_primary=True),))

    for sources in ({}, {"x.mesh": SourceFile("x.mesh", "")}):
        assert drawn(unread, report=Report("check", sources=sources))[1:] == ["  ┌─ x.mesh"]


def test_environments_are_named_where_it_is_not_all_of_them() -> None:
    assert drawn(diagnostic(), environments=("dev",))[-1] == "  = in: dev"
    assert not drawn(diagnostic(), environments=("dev", "prod"))[-1].startswith("  = in")


def test_evidence_of_any_kind_is_shown() -> None:
    lines = drawn(diagnostic(evidence=(Evidence("cover", "`a` and `b`"), Evidence("surprise", "x"))))

    assert lines[-2:] == ["  = cover: `a` and `b`", "  = surprise: x"]


def test_long_sentences_hang_behind_their_beginning() -> None:
    words = " ".join(["word"] * 20)

    lines = drawn(diagnostic(message=words, help=words, labels=()), Look(60))

    assert max(map(len, lines)) <= 60
    assert lines[0] == "error[MP301]: word word word word word word word word word"
    assert lines[1].startswith(" " * 14 + "word")
    assert [line for line in lines if line.startswith("  = help: word")]
    assert lines[-1].startswith(" " * 10 + "word")


def test_what_is_to_be_copied_is_never_broken() -> None:
    request = '{"source": {"identity": null}, "destination": {"service": "till"}, "port": 8080, "protocol": "tcp"}'

    lines = drawn(diagnostic(labels=(), evidence=(Evidence("request", request),)), Look(40))

    assert f"  = eval: {request}" in lines
    assert "  = request: plaintext -> till:8080" in lines


def test_each_severity_has_its_word() -> None:
    words = [drawn(diagnostic(severity=severity, labels=()))[0].partition("[")[0] for severity in Severity]

    assert sorted(words) == ["error", "info", "warning"]
