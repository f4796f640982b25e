from __future__ import annotations

import pytest
from tests.unit.compiler.driver.policies import DAY, SPY, TEA, policy

from meshproof.compiler.driver.testing import coverage_findings, failures, results_of_tests
from meshproof.compiler.report.model import TestOutcome, TestResult


def result(*parts: str) -> TestResult:
    return next(iter(results_of_tests(policy(*parts).meshes[0], DAY)))


@pytest.mark.parametrize(
    ("line", "outcome", "actual"),
    [
        ("shop -> kettle:http POST /boil => allow", TestOutcome.PASSED, "allow by boil"),
        ("shop -> kettle:http POST /boil => allow by boil", TestOutcome.PASSED, "allow by boil"),
        ("shop -> kettle:http POST /boil => deny", TestOutcome.FAILED, "allow by boil"),
        ("spy -> kettle:http POST /boil => deny", TestOutcome.PASSED, "deny at default"),
        ("spy -> kettle:http POST /boil => deny at default", TestOutcome.PASSED, "deny at default"),
        ("spy -> kettle:http POST /boil => deny at rule", TestOutcome.FAILED, "deny at default"),
        ("plaintext -> kettle:http POST /boil => deny at transport", TestOutcome.PASSED, "deny at transport"),
        ("shop -> kettle:http POST /%00 => deny at path", TestOutcome.PASSED, "deny at path"),
    ],
)
def test_a_line_has_the_outcome_of_its_request(line: str, outcome: TestOutcome, actual: str) -> None:
    found = result(TEA, "test t {\n", line, "\n}\n")

    assert (found.outcome, found.actual) == (outcome, actual)


def test_one_request_that_fails_fails_the_line() -> None:
    found = result(TEA, "zone both = { shop, spy }\ntest t { both -> kettle:http POST /boil => allow }\n")

    assert found.outcome is TestOutcome.FAILED
    assert [request.source.identity for request in found.requests] == ["spiffe://cluster.local/ns/tea/sa/spy"]
    assert found.actual == "deny at default"


def test_an_answer_that_is_not_there_leaves_a_line_undecided() -> None:
    asking = 'authorizer opa { address "opa:9191" protocol grpc timeout 1s }\nask ext: shop -> kettle { via opa }\n'

    found = result(TEA, asking, "test t { shop -> kettle:http POST /boil => allow }\n")

    assert found.outcome is TestOutcome.UNDECIDED
    assert "`opa`" in found.actual


def test_a_failure_says_what_was_expected_and_shows_the_request() -> None:
    read = policy(TEA, "test t { shop -> kettle:http POST /boil => deny }\n").meshes[0]

    (finding,) = failures(read, results_of_tests(read, DAY), DAY)

    assert finding.message == "test `t` expects `deny`, but it is `allow by boil`"
    assert '"/boil"' in finding.evidence[0].value
    assert finding.subject == "t"


def test_rules_out_of_force_need_no_test() -> None:
    old = SPY.replace("}", 'because "x" until 2026-01-01 }')

    assert [one.subject for one in coverage_findings(policy(TEA, old).meshes[0], DAY)] == ["boil"]
