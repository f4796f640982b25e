from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tests.unit.compiler.driver.policies import CLAIM, DAY, ENVIRONMENTS, SPY, TEA, TEST, policy

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.context import CheckContext
from meshproof.compiler.driver import judge as judging
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions, Part
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.report.exit_code import ExitCode, exit_code
from meshproof.compiler.report.model import ClaimVerdict, Report, TestOutcome
from meshproof.compiler.smt.solver import Undecided
from meshproof.dsl.diagnostic import Diagnostic, Severity

OPTIONS = JudgeOptions(DAY)


def codes(report: Report) -> list[str]:
    return sorted(finding.diagnostic.code for finding in report.findings)


def test_a_good_policy_is_clean() -> None:
    report = judge(policy(TEA, CLAIM, TEST), OPTIONS)

    assert exit_code(report, Severity.ERROR) is ExitCode.CLEAN
    assert [claim.verdict for claim in report.claims] == [ClaimVerdict.PROVED]
    assert [test.outcome for test in report.tests] == [TestOutcome.PASSED]
    assert report.claims[0].assumptions
    assert report.policy == "tea"


def test_a_refuted_claim_is_a_finding_at_its_line_with_the_request_and_the_rule() -> None:
    report = judge(policy(TEA, SPY, CLAIM), OPTIONS)

    finding = next(one.diagnostic for one in report.findings if one.diagnostic.code == "MP601")
    source = report.sources["tea.mesh"]
    texts = [source.text[label.span.start : label.span.end] for label in finding.labels]
    assert texts == ["only shop reaches kettle", SPY.strip()]
    assert [row.kind for row in finding.evidence] == ["request"]
    assert report.claims[0].witness[0].source.identity == "spiffe://cluster.local/ns/tea/sa/spy"
    assert exit_code(report, Severity.ERROR) is ExitCode.FOUND


def test_a_failed_test_is_a_finding_that_names_who_decided() -> None:
    failing = TEST.replace("allow by boil", "deny")

    report = judge(policy(TEA, failing), OPTIONS)

    finding = next(one.diagnostic for one in report.findings if one.diagnostic.code == "MP604")
    assert finding.message == "test `boil` expects `deny`, but it is `allow by boil`"
    assert [label.text for label in finding.labels] == ["expected otherwise", "decides it"]
    assert report.tests[0].outcome is TestOutcome.FAILED


@pytest.mark.parametrize(
    ("waiver", "code"),
    [
        ('waive MP601 on "only the shop boils" because "x" owner "y" until 2027-01-01\n', ExitCode.CLEAN),
        ('waive MP601 on "only the shop boils" because "x" owner "y" until 2026-01-01\n', ExitCode.FOUND),
        ("", ExitCode.FOUND),
    ],
)
def test_what_is_waived_counts_for_nothing(waiver: str, code: ExitCode) -> None:
    report = judge(policy(TEA, SPY, CLAIM, waiver), OPTIONS)

    assert exit_code(report, Severity.ERROR) is code
    assert report.claims[0].is_waived is (code is ExitCode.CLEAN)


def test_what_holds_in_all_environments_is_said_once() -> None:
    report = judge(policy(ENVIRONMENTS, CLAIM, TEST), OPTIONS)

    assert report.environments == ("dev", "prod")
    assert [claim.environments for claim in report.claims] == [("dev", "prod")]
    assert [test.environments for test in report.tests] == [("dev", "prod")]


def test_what_holds_in_one_environment_names_it() -> None:
    report = judge(policy(ENVIRONMENTS, SPY.replace("}", "env dev }"), CLAIM), OPTIONS)

    verdicts = {claim.environments: claim.verdict for claim in report.claims}
    assert verdicts == {("dev",): ClaimVerdict.REFUTED, ("prod",): ClaimVerdict.PROVED}


def test_a_policy_with_errors_is_not_judged() -> None:
    report = judge(policy_of_texts({"x.mesh": "mesh"}), OPTIONS)

    assert not report.is_judged
    assert exit_code(report, Severity.ERROR) is ExitCode.NOT_JUDGED
    assert not report.claims


def test_fast_leaves_the_solver_out() -> None:
    report = judge(policy(TEA, SPY, CLAIM, TEST), replace(OPTIONS, is_fast=True))

    assert not report.claims
    assert report.tests


def test_only_keeps_to_the_titles_named() -> None:
    other = CLAIM.replace("only the shop boils", "another")

    report = judge(policy(TEA, CLAIM, other), replace(OPTIONS, only=("another",)))

    assert [claim.name for claim in report.claims] == ["another"]


def test_parts_that_were_not_asked_for_are_left_out() -> None:
    only_tests = judge(policy(TEA, SPY, CLAIM, TEST), replace(OPTIONS, parts=frozenset({Part.TESTS})))
    only_claims = judge(policy(TEA, SPY, CLAIM, TEST), replace(OPTIONS, parts=frozenset({Part.CLAIMS})))

    assert (len(only_tests.claims), len(only_tests.tests), codes(only_tests)) == (0, 1, [])
    assert (len(only_claims.claims), len(only_claims.tests), codes(only_claims)) == (1, 0, ["MP601"])


def test_audit_rules_count_if_they_are_taken_as_enforced() -> None:
    audit = SPY.replace("allow", "audit allow").replace("}", 'because "x" until 2027-01-01 }')
    audited = policy(TEA, audit, CLAIM)

    logged = judge(audited, OPTIONS)
    enforced = judge(audited, replace(OPTIONS, audit_as_enforced=True))

    assert [claim.verdict for claim in logged.claims] == [ClaimVerdict.PROVED]
    assert [claim.verdict for claim in enforced.claims] == [ClaimVerdict.REFUTED]


def test_select_and_ignore_hide_findings_and_nothing_else() -> None:
    broken = policy(TEA, SPY, CLAIM)

    assert codes(judge(broken, replace(OPTIONS, ignore=("MP6",)))) == []
    assert codes(judge(broken, replace(OPTIONS, select=("MP601",)))) == ["MP601"]
    assert exit_code(judge(broken, replace(OPTIONS, ignore=("MP6",))), Severity.ERROR) is ExitCode.FOUND


def test_what_no_mesh_can_take_is_never_hidden() -> None:
    routed = policy(TEA, "route kettle { otherwise => v9 }\n")

    for options in (replace(OPTIONS, ignore=("MP4",)), replace(OPTIONS, select=("MP3",))):
        assert codes(judge(routed, options)) == ["MP403"]


def test_a_finding_in_a_used_file_says_where_it_is_used() -> None:
    read = policy_of_texts({"tea.mesh": f'{TEA}use "more.mesh"\n', "more.mesh": SPY + CLAIM})

    report = judge(read, OPTIONS)

    finding = next(one.diagnostic for one in report.findings if one.diagnostic.code == "MP601")
    texts = [report.sources[one.span.file].text[one.span.start : one.span.end] for one in finding.labels]
    assert texts[-1] == 'use "more.mesh"'
    assert finding.labels[-1].text == "used here"


def test_coverage_names_the_rules_that_no_test_speaks_of() -> None:
    report = judge(policy(TEA, SPY, TEST), replace(OPTIONS, parts=frozenset({Part.TESTS}), has_coverage=True))

    assert [(one.diagnostic.code, one.diagnostic.subject) for one in report.findings] == [("MP607", "peek")]


def test_fingerprints_are_there_and_differ() -> None:
    report = judge(policy(TEA, SPY, CLAIM, CLAIM.replace("only the shop boils", "again")), OPTIONS)

    prints = [finding.diagnostic.fingerprint for finding in report.findings]
    assert all(prints)
    assert len(set(prints)) == len(prints)


def check_that(find: object, needs: Needs = Needs.SMT) -> Check:
    return Check("MP301", needs, Precision.EXACT, find)  # type: ignore[arg-type]  # any generator function will do


def test_a_check_that_gives_up_is_a_finding_that_nothing_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(context: CheckContext) -> Iterator[Diagnostic]:
        yield from ()
        raise Undecided(f"too much for {context.mesh.name}")

    monkeypatch.setattr(judging, "all_checks", lambda: (check_that(find),))
    report = judge(policy(TEA), replace(OPTIONS, ignore=("MP6",), select=("MP1",)))

    assert codes(report) == ["MP606"]
    assert exit_code(report, Severity.ERROR) is ExitCode.UNDECIDED


def test_what_is_known_when_it_is_stopped_is_said_and_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(_context: CheckContext) -> Iterator[Diagnostic]:
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr(judging, "all_checks", lambda: (check_that(find),))
    report = judge(policy(TEA, SPY, CLAIM, TEST), OPTIONS)

    assert not report.is_complete
    assert len(report.claims) == len(report.tests) == 1
    assert exit_code(report, Severity.ERROR) is ExitCode.FOUND
    assert exit_code(judge(policy(TEA, TEST), OPTIONS), Severity.ERROR) is ExitCode.UNDECIDED


def test_checks_of_findings_see_what_everything_else_found(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def find(context: CheckContext) -> Iterator[Diagnostic]:
        seen.append([finding.code for finding in context.findings])
        yield from ()

    monkeypatch.setattr(judging, "all_checks", lambda: (check_that(find, Needs.FINDINGS),))
    judge(policy(TEA, SPY, CLAIM), OPTIONS)
    judge(policy(TEA, SPY, CLAIM), replace(OPTIONS, is_fast=True))

    assert seen == [["MP601"]]


def test_a_vacuous_claim_is_an_error_where_one_is_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(context: CheckContext) -> Iterator[Diagnostic]:
        yield Diagnostic("MP602", Severity.WARNING, f"`{context.mesh.name}` has a vacuous claim")

    monkeypatch.setattr(judging, "all_checks", lambda: (check_that(find),))

    for is_strict, severity in ((False, Severity.WARNING), (True, Severity.ERROR)):
        report = judge(policy(TEA), replace(OPTIONS, is_strict=is_strict))
        assert [finding.diagnostic.severity for finding in report.findings] == [severity]


def test_progress_is_told() -> None:
    told: list[tuple[str, int, int]] = []

    judge(policy(TEA, CLAIM), OPTIONS, progress=lambda what, done, total: told.append((what, done, total)))

    assert ("proving claims", 0, 1) in told
