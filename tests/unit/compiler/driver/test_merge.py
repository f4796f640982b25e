from __future__ import annotations

from meshproof.compiler.driver.merge import merged_findings
from meshproof.compiler.report.model import Finding
from meshproof.dsl.diagnostic import Diagnostic, Evidence, Severity

ONE = Diagnostic("MP301", Severity.ERROR, "one")
TWO = Diagnostic("MP302", Severity.ERROR, "two")


def test_what_is_found_in_several_environments_is_said_once() -> None:
    assert merged_findings([("dev", ONE), ("dev", TWO), ("prod", ONE)]) == (
        Finding(ONE, ("dev", "prod")),
        Finding(TWO, ("dev",)),
    )


def test_the_same_finding_with_another_request_is_the_same_finding() -> None:
    other = Diagnostic("MP301", Severity.ERROR, "one", evidence=(Evidence("request", "{}"),))

    assert merged_findings([("dev", other), ("prod", ONE)]) == (Finding(other, ("dev", "prod")),)


def test_without_environments_none_is_named() -> None:
    assert merged_findings([(None, ONE), (None, ONE)]) == (Finding(ONE),)
