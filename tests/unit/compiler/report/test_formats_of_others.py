"""The formats that other tools read: what they need is there, and nothing that a policy says gets out of its place."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from tests.unit.compiler.report.samples import FILE, TEXT, claim, diagnostic, everything, line_of_test, span_of

from meshproof.compiler.report.look import Look
from meshproof.compiler.report.model import ClaimVerdict, Finding, Report, TestOutcome
from meshproof.compiler.report.registry import find_format
from meshproof.dsl.diagnostic import Label, Severity
from meshproof.dsl.problems import problem
from meshproof.dsl.source import SourceFile, Span

EVIL = "<script>|a|[x](https://evil)@someone`%0A::error::\n\x1b[31m]]>\u202e\x00"


def written(name: str, report: Report, fail_level: Severity = Severity.ERROR) -> str:
    found = find_format(name)
    assert found is not None
    return found.load()(report, Look(), fail_level)


def placed() -> Report:
    return replace(everything(), folder="policies/shop")


def evil() -> Report:
    finding = diagnostic(message=EVIL, help=EVIL, notes=(EVIL,), subject=EVIL)
    claims = (claim(ClaimVerdict.UNKNOWN, EVIL, reason=EVIL),)
    return replace(everything(), policy=EVIL, findings=(Finding(finding),), claims=claims, tests=())


def without_place() -> Report:
    """Findings about a question, and about nothing in particular."""
    asked = diagnostic(labels=(Label(Span("<query>", 0, 3), is_primary=True),))
    sources = {FILE: SourceFile(FILE, TEXT), "<query>": SourceFile("<query>", "x y")}
    return Report("check", findings=(Finding(asked), Finding(diagnostic(labels=()))), sources=sources)


def sarif(report: Report) -> dict[str, Any]:
    (run,) = json.loads(written("sarif", report))["runs"]
    found: dict[str, Any] = run
    return found


def test_sarif_has_rules_places_and_fingerprints() -> None:
    run = sarif(placed())

    open_one, waived = run["results"]
    (place,) = open_one["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "policies/shop/shop.mesh", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 5, "startColumn": 1, "endLine": 5, "endColumn": 24},
    }
    assert [one["message"]["text"] for one in open_one["relatedLocations"]] == ["its source"]
    assert open_one["partialFingerprints"] == {"meshproof/v1": "0123"}
    assert (open_one["level"], open_one["suppressions"]) == ("error", [])
    assert [one["kind"] for one in waived["suppressions"]] == ["external"]
    assert open_one["properties"]["requests"][0]["destination"] == {"service": "till"}
    rules = run["tool"]["driver"]["rules"]
    assert [rules[one["ruleIndex"]]["id"] for one in run["results"]] == [one["ruleId"] for one in run["results"]]
    assert "## Why it matters" in rules[0]["help"]["markdown"]
    assert rules[0]["shortDescription"]["text"] == problem("MP301").summary


def test_sarif_escapes_paths_and_leaves_out_places_that_are_in_no_file() -> None:
    run = sarif(replace(placed(), folder="my policies/ü"))

    uri = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "my%20policies/%C3%BC/shop.mesh"
    assert [one["locations"] for one in sarif(without_place())["results"]] == [[], []]


@pytest.mark.parametrize("change", [{"is_judged": False}, {"is_complete": False}])
def test_sarif_says_that_a_run_was_not_whole(change: dict[str, bool]) -> None:
    whole = sarif(everything())["invocations"][0]
    broken = sarif(replace(everything(), **change))["invocations"][0]  # type: ignore[arg-type]  # both are bool

    assert (whole["executionSuccessful"], whole["exitCode"]) == (True, 1)
    assert broken["executionSuccessful"] is False


def test_junit_counts_claims_tests_and_findings() -> None:
    root = ET.fromstring(written("junit", placed()))  # noqa: S314  our own

    suites = {suite.get("name"): suite for suite in root}
    assert {name: (one.get("tests"), one.get("failures"), one.get("errors")) for name, one in suites.items()} == {
        "claims": ("3", "1", "1"),
        "tests": ("3", "1", "1"),
        "findings": ("2", "1", "0"),
    }
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("8", "3", "1")
    refuted = suites["claims"].find(".//failure")
    assert refuted is not None
    assert str(refuted.text).startswith("spy -> till:8080 GET /")
    assert suites["findings"][0].get("name") == "rule `peek` is open (policies/shop/shop.mesh:5) (in dev)"


def test_junit_fails_from_the_level_that_fails_a_run_and_skips_what_is_waived() -> None:
    report = replace(everything(), findings=(Finding(diagnostic(severity=Severity.WARNING)),), claims=(), tests=())
    waived = replace(
        report,
        claims=(claim(ClaimVerdict.REFUTED, is_waived=True),),
        tests=(line_of_test(TestOutcome.FAILED, is_waived=True),),
    )

    assert 'failures="0"' in written("junit", report).splitlines()[1]
    assert 'failures="1"' in written("junit", report, Severity.WARNING).splitlines()[1]
    assert 'tests="3" failures="0" errors="0" skipped="2"' in written("junit", waived).splitlines()[1]


def test_junit_tells_a_refuted_claim_once_and_never_passes_half_a_run() -> None:
    refuted = replace(
        everything(),
        findings=(Finding(diagnostic("MP601")),),
        claims=(claim(ClaimVerdict.REFUTED),),
        tests=(),
        is_complete=False,
    )

    assert 'tests="2" failures="1" errors="1"' in written("junit", refuted).splitlines()[1]


def test_github_gets_a_command_a_finding_and_none_for_what_is_waived() -> None:
    assert written("github", placed()) == (
        "::error file=policies/shop/shop.mesh,line=5,endLine=5,col=1,endColumn=24,title=MP301"
        "::rule `peek` is open%0Ahelp: delete it\n"
    )
    levels = replace(everything(), findings=tuple(Finding(diagnostic(severity=one)) for one in Severity))
    assert sorted(re.findall("^::(\\w+)", written("github", levels), re.MULTILINE)) == ["error", "notice", "warning"]
    assert written("github", replace(everything(), findings=())) == ""
    assert written("github", without_place()).count("::error title=MP301::") == 2


def test_gitlab_gets_a_fingerprint_and_a_place_of_each() -> None:
    (entry,) = json.loads(written("gitlab", placed()))

    assert entry == {
        "description": "rule `peek` is open (delete it)",
        "check_name": "MP301",
        "fingerprint": "0123",
        "severity": "critical",
        "location": {"path": "policies/shop/shop.mesh", "lines": {"begin": 5, "end": 5}},
    }
    assert {one["location"]["path"] for one in json.loads(written("gitlab", without_place()))} == {"."}


def test_markdown_has_tables_whose_rows_are_whole() -> None:
    text = written("markdown", placed())

    assert "<code>policies/shop/shop.mesh:5</code>" in text
    assert "### Claims" in text
    assert "<code>only web reaches till</code>" in text
    assert text.count("| passed |") == 0
    for report in (placed(), evil()):
        rows = [line for line in written("markdown", report).splitlines() if line.startswith("|")]
        assert {line.count("|") for line in rows} == {5}


def test_csv_has_a_row_for_everything() -> None:
    rows = list(csv.DictReader(io.StringIO(written("csv", placed()))))

    assert [(one["kind"], one["result"]) for one in rows] == [
        ("finding", "error"),
        ("finding", "warning"),
        ("claim", "proved"),
        ("claim", "refuted"),
        ("claim", "unknown"),
        ("test", "passed"),
        ("test", "failed"),
        ("test", "undecided"),
    ]
    assert (rows[0]["path"], rows[0]["line"], rows[0]["waived"]) == ("policies/shop/shop.mesh", "5", "no")
    assert rows[3]["controls"] == "pci-dss 1.4.2"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_csv_is_never_a_formula(text: str) -> None:
    report = replace(everything(), claims=(claim(ClaimVerdict.PROVED, text),), findings=(), tests=())

    (row,) = csv.DictReader(io.StringIO(written("csv", report)))

    assert row["name"] == f"'{text}"


def test_what_a_policy_says_stays_in_its_place() -> None:
    report = evil()

    assert len(written("github", report).splitlines()) == 1
    assert json.loads(written("gitlab", report))[0]["description"].startswith(EVIL)
    assert EVIL in sarif(report)["results"][0]["message"]["text"]
    assert ET.fromstring(written("junit", report)).get("errors") == "1"  # noqa: S314  our own
    markdown = written("markdown", report)
    assert not re.search(r"<script|\]\(|@someone|\x1b|\u202e", markdown)
    assert len(list(csv.reader(io.StringIO(written("csv", report))))) == 3


def test_a_range_of_several_lines_has_no_columns_for_github() -> None:
    start = span_of("service spy").start
    long = diagnostic(labels=(Label(Span(FILE, start, len(TEXT) - 1), is_primary=True),))

    text = written("github", replace(everything(), findings=(Finding(long),)))

    assert "line=3,endLine=5,title" in text
