"""The ledger of codes."""

from __future__ import annotations

import re

import pytest

from meshproof.dsl.diagnostic import Label, Severity
from meshproof.dsl.problems import BY_CODE, LEDGER, found, problem
from meshproof.dsl.source import Span

# What was agreed on before anyone used it: others rely on number, name and severity.
AGREED = """
MP301 overridden-by-deny error, MP302 impossible error, MP303 duplicate warning, MP304 shadowed warning,
MP305 overly-broad warning, MP306 jointly-shadowed warning, MP307 inert-deny warning, MP308 conflict info,
MP309 expired error, MP310 missing-reason error, MP311 waiver-expired error, MP312 waiver-unused warning,
MP313 deny-escaped-by-slash warning, MP314 deny-escaped-by-omission warning, MP315 allow-lost-by-addition error,
MP316 host-alone warning, MP317 deny-skips-tcp info, MP401 unreachable-branch error,
MP402 request-no-branch-takes warning, MP403 unknown-version error, MP404 weights error,
MP405 retries-beyond-timeout warning, MP406 mirror-leaves-zone warning, MP407 rewrite-read-by-rule warning,
MP408 allowed-not-routed warning, MP409 routed-not-allowed warning, MP501 plaintext-reachable warning,
MP502 identity-without-mtls error, MP503 claim-without-issuer error, MP504 default-account warning,
MP601 claim-refuted error, MP602 claim-vacuous warning, MP603 empty-set error, MP604 test-failed error,
MP605 claim-undecided warning, MP606 check-undecided warning, MP607 untested-rule info
"""


def test_codes_are_in_number_order_and_used_once() -> None:
    codes = [entry.code for entry in LEDGER]

    assert codes == sorted(codes)
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"MP[0-9]\d\d", code) for code in codes)


def test_no_code_of_the_range_for_users_is_taken() -> None:
    assert not any(entry.code.startswith("MP9") for entry in LEDGER)


def test_names_are_used_once_but_for_an_environment() -> None:
    slugs = [entry.slug for entry in LEDGER]

    assert {slug for slug in slugs if slugs.count(slug) > 1} <= {"unknown-environment"}
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


@pytest.mark.parametrize("line", [line.strip() for line in AGREED.replace("\n", " ").split(",")])
def test_what_was_agreed_on_stays(line: str) -> None:
    code, slug, severity = line.split()

    assert (problem(code).slug, problem(code).severity) == (slug, Severity(severity))


def test_every_summary_is_one_lower_case_sentence() -> None:
    assert [entry.code for entry in LEDGER if not re.fullmatch(r"[^A-Z].*[^.]", entry.summary)] == []


def test_an_unknown_code_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        problem("MP000")


def test_a_finding_has_the_severity_of_its_code_and_a_primary_label() -> None:
    here = Span("x", 1, 2)

    diagnostic = found("MP308", "m", here, "t", help="h", others=(Label(Span("x", 3, 4)),))

    assert diagnostic.severity is BY_CODE["MP308"].severity is Severity.INFO
    assert diagnostic.primary == here
    assert (diagnostic.labels[0].text, diagnostic.help, len(diagnostic.labels)) == ("t", "h", 2)
