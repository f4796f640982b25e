"""The report as JSON: what the schema says, whatever is in it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import ValidationError
from tests.unit.compiler.report.samples import SPY, claim, diagnostic, everything
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.report.json import render
from meshproof.compiler.report.look import ASCII, Look
from meshproof.compiler.report.model import ClaimVerdict, Finding, Report
from meshproof.dsl.diagnostic import Label, Severity
from meshproof.dsl.source import Span


def document(report: Report, fail_level: Severity = Severity.ERROR) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(render(report, Look(), fail_level))
    return read


@pytest.mark.parametrize(
    "report",
    [
        everything(),
        Report("check"),
        Report("check", is_judged=False, findings=(Finding(diagnostic(labels=())),)),
        replace(everything(), is_complete=False, compiled=None),
        replace(everything(), sources={}),
    ],
    ids=["everything", "nothing", "not-judged", "stopped", "no-sources"],
)
def test_every_report_fits_the_schema(report: Report) -> None:
    assert fits("report-v1", document(report))


def test_the_schema_takes_no_field_that_it_does_not_know() -> None:
    with pytest.raises(ValidationError):
        fits("report-v1", {**document(everything()), "more": 1})


def test_a_finding_has_its_place_its_evidence_and_its_witness() -> None:
    finding, waived = document(everything())["findings"]

    assert (finding["path"], finding["line"], finding["column"]) == ("shop.mesh", 5, 1)
    assert [label["primary"] for label in finding["labels"]] == [True, False]
    assert (finding["labels"][0]["end_line"], finding["labels"][0]["end_column"]) == (5, 24)
    assert finding["evidence"] == [{"kind": "proof", "value": "no request reaches it"}]
    assert finding["witness"]["source"] == {"identity": SPY}
    assert (finding["waived"], waived["waived"]) == (False, True)


def test_where_there_is_no_place_there_is_null() -> None:
    bare = Finding(diagnostic(labels=()))
    unknown = Finding(diagnostic(labels=(Label(Span("other.mesh", 3, 4), is_primary=True),)))

    first, second = document(replace(everything(), findings=(bare, unknown)))["findings"]

    assert (first["path"], first["line"], first["column"]) == (None, None, None)
    assert (second["path"], second["line"], second["column"]) == ("other.mesh", None, None)


def test_claims_have_verdict_witness_and_controls() -> None:
    proved, refuted, unknown = document(everything())["claims"]

    assert [one["verdict"] for one in (proved, refuted, unknown)] == ["proved", "refuted", "unknown"]
    assert proved["witness"] is None
    assert [request["path"] for request in refuted["witness"]] == ["/"]
    assert refuted["controls"] == [{"framework": "pci-dss", "control": "1.4.2"}]
    assert unknown["reason"] == "out of time"


def test_the_summary_counts_and_gives_the_exit_code() -> None:
    summary = document(everything())["summary"]

    assert {(one["kind"], one["reason"]) for one in summary.pop("undecided_because")} == {
        ("claim", "out of time"),
        ("test", "deny at default"),
    }
    assert summary == {
        "errors": 1, "warnings": 0, "infos": 0, "waived": 1,
        "proved": 1, "refuted": 1, "unknown": 1,
        "passed": 1, "failed": 1, "undecided": 1,
        "complete": True, "exit_code": 1,
    }  # fmt: skip


def test_the_level_that_fails_is_heeded() -> None:
    report = Report("check", findings=(Finding(diagnostic(severity=Severity.WARNING)),))

    assert document(report, Severity.ERROR)["summary"]["exit_code"] == 0
    assert document(report, Severity.WARNING)["summary"]["exit_code"] == 1


def test_it_is_the_same_text_whatever_the_look_and_keeps_its_order() -> None:
    plain = render(everything(), Look(), Severity.ERROR)

    assert plain == render(everything(), Look(40, has_colour=True, glyphs=ASCII, verbosity=-1), Severity.ERROR)
    assert list(json.loads(plain)) == [
        "schema", "command", "policy", "as_of", "environments", "findings", "claims", "tests", "summary", "compiled",
    ]  # fmt: skip


def test_characters_stay_what_they_are() -> None:
    text = render(Report("check", claims=(claim(ClaimVerdict.PROVED, "th\xe9 \u65e5"),)), Look(), Severity.ERROR)

    assert '"th\xe9 \u65e5"' in text
