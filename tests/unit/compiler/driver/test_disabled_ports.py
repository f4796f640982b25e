"""Test lines for ports without mTLS: nobody has an identity there, also who has one elsewhere."""

from __future__ import annotations

import pytest
from tests.unit.compiler.driver.policies import DAY, TEA, policy

from meshproof.compiler.driver.testing import coverage_findings, results_of_tests
from meshproof.compiler.report.model import TestOutcome

OPEN = """
mtls disabled for kettle { because "an old client"  owner "team-tea"  until 2026-12-31 }
allow old: plaintext -> kettle { GET /old  because "an old client" }
"""


@pytest.mark.parametrize(
    ("line", "actual"),
    [
        ("shop -> kettle:http GET /old => allow by old", "allow by old"),
        ("plaintext -> kettle:http GET /old => allow by old", "allow by old"),
        ("shop -> kettle:http POST /boil => deny at default", "deny at default"),
        ("shop -> kettle:http POST /boil with at 2027-01-01 => allow by boil", "allow by boil"),
        ("plaintext -> kettle:http GET /old with at 2027-01-01 => deny at transport", "deny at transport"),
    ],
)
def test_a_caller_is_whoever_calls_where_nobody_has_an_identity(line: str, actual: str) -> None:
    (found,) = results_of_tests(policy(TEA, OPEN, f"test t {{ {line} }}").meshes[0], DAY)

    assert (found.outcome, found.actual) == (TestOutcome.PASSED, actual)


def test_the_request_that_is_shown_is_the_one_that_was_sent() -> None:
    (found,) = results_of_tests(policy(TEA, OPEN, "test t { shop -> kettle:http GET /old => deny }").meshes[0], DAY)

    assert found.outcome is TestOutcome.FAILED
    assert [request.source.identity for request in found.requests] == [None]


def test_such_a_line_covers_the_rule_that_decides_it() -> None:
    mesh = policy(TEA, OPEN, "test t { shop -> kettle:http GET /old => allow }").meshes[0]

    assert [one.subject for one in coverage_findings(mesh, DAY)] == ["boil"]
