from __future__ import annotations

import json
from dataclasses import replace

from tests.unit.compiler.driver.policies import CLAIM, DAY, SPY, TEA, policy

from meshproof.compiler.driver.claims import claim_report, refutation
from meshproof.compiler.report.model import ClaimVerdict
from meshproof.compiler.verify import Analysis, ClaimResult, Refuted, Unknown, check_claim
from meshproof.dsl.diagnostic import Diagnostic


def refuted(*parts: str) -> Diagnostic:
    mesh = policy(*parts).meshes[0]
    prove = mesh.proofs[0]
    found = check_claim(Analysis(mesh, DAY), prove, prove.claims[0])
    assert isinstance(found.verdict, Refuted)
    return refutation(mesh, prove, prove.claims[0], found.verdict.witness)


def test_a_request_that_gets_through_blames_the_rule_that_allows_it() -> None:
    finding = refuted(TEA, SPY, CLAIM)

    assert finding.message == "`only the shop boils` does not hold: a request gets through"
    assert [label.text for label in finding.labels] == ["refuted", "allows it"]
    assert finding.subject == "only the shop boils"
    assert json.loads(finding.evidence[0].value)["destination"] == {"service": "kettle"}


def test_a_request_that_should_be_allowed_is_called_that() -> None:
    deny = "deny stop: anyone -> kettle { * /boil }\n"

    finding = refuted(TEA, deny, 'prove "t" { shop can call kettle:http POST /boil }\n')

    assert "a request that should be allowed is refused" in finding.message
    assert [label.text for label in finding.labels] == ["refuted", "refuses it"]
    assert finding.help == "add an allow that takes this request, or change the claim"


def test_a_chain_says_its_steps() -> None:
    onward = "allow on: kettle -> spy { GET / }\n"

    finding = refuted(TEA, onward, 'prove "t" { no path from shop to spy }\n')

    assert "there is a way in 2 steps" in finding.message
    assert finding.notes[0] == "the way: `shop` calls `kettle` by `boil`; `kettle` calls `spy` by `on`"
    assert len(finding.evidence) == 2


def test_what_no_rule_decides_says_where_it_is_decided() -> None:
    permissive = 'mtls permissive for kettle { because "x" until 2027-01-01 }\n'

    finding = refuted(TEA, permissive, 'prove "t" { every request to kettle is mtls }\n')

    assert "a request passes transport without an identity" in finding.message
    assert finding.notes == ("no rule decides this request; it is decided at: default",)


def test_what_is_not_known_says_why() -> None:
    mesh = policy(TEA, CLAIM).meshes[0]
    prove = mesh.proofs[0]

    report = claim_report(prove, prove.claims[0], ClaimResult(Unknown("too hard")))

    assert (report.verdict, report.reason) == (ClaimVerdict.UNKNOWN, "too hard")
    assert report.controls == prove.controls
    assert replace(report, reason="").witness == ()
