"""What a check calls the subject of a finding is what a `waive` statement can write."""

from __future__ import annotations

import re

import pytest
from tests.checks.judging import DAY, check_of, codes, findings_of, policy_of

from meshproof.compiler.checks.documentation import documentation_of
from meshproof.compiler.checks.waivable import NEVER_WAIVED
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions

WAIVABLE = [code for code in codes() if not code.startswith(NEVER_WAIVED)]
NAMED = re.compile(r"(namespace )?[a-z0-9-]+(:[a-z0-9-]+)?|all")


@pytest.mark.parametrize("code", WAIVABLE)
def test_each_finding_can_be_accepted_by_name(code: str) -> None:
    example = documentation_of(check_of(code)).example
    subjects = {finding.diagnostic.subject for finding in findings_of(policy_of(example), code)}
    targets = [subject if NAMED.fullmatch(subject) else f'"{subject}"' for subject in subjects]
    waivers = [f'waive {code} on {target} because "known" owner "team" until 2027-06-30\n' for target in targets]

    report = judge(policy_of(example, "".join(waivers)), JudgeOptions(day=DAY))

    found = [finding.diagnostic for finding in report.findings if finding.diagnostic.code == code]
    assert found
    assert all(diagnostic.is_waived for diagnostic in found)


@pytest.mark.parametrize(
    ("code", "text", "target"),
    [
        (
            "MP501",
            'namespace shop { observe { because "new"  until 2027-01-31 } }\nservice web { port http 80 }\n',
            "namespace shop",
        ),
        (
            "MP502",
            (
                "service db { port http 80 }\nallow use: db -> db\n"
                'mtls permissive for db:http { because "new"  until 2027-01-31 }\n'
            ),
            "db:http",
        ),
    ],
)
def test_a_namespace_and_an_mtls_statement_have_names_too(code: str, text: str, target: str) -> None:
    waiver = f'waive {code} on {target} because "known" owner "team" until 2027-01-31\n'

    report = judge(policy_of(text + waiver), JudgeOptions(day=DAY))

    [found] = [finding.diagnostic for finding in report.findings if finding.diagnostic.code == code]
    assert found.is_waived
