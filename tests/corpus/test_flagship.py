"""The chart of the Online Boutique against the policy that its code needs: what it grants beyond, call by call."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.corpus.boutique import APART, DAY, Grant, at_workloads, comparison, elsewhere, granted, grants_in, sides

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import read_policy
from meshproof.compiler.semantics import decide

pytestmark = [pytest.mark.corpus]

OVER_GRANTS = {
    Grant("checkoutservice", "cartservice", "AddItem"),
    Grant("checkoutservice", "currencyservice", "GetSupportedCurrencies"),
    Grant("checkoutservice", "productcatalogservice", "ListProducts"),
    Grant("frontend", "shippingservice", "ShipOrder"),
    Grant("recommendationservice", "productcatalogservice", "GetProduct"),
}
"""S1 of EXPECTED.json."""
POLICIES = {
    "cartservice": "onlineboutique/cartservice[0]",
    "currencyservice": "onlineboutique/currencyservice[0]",
    "productcatalogservice": "onlineboutique/productcatalogservice[0]",
    "shippingservice": "onlineboutique/shippingservice[0]",
}


@pytest.fixture
def zero_trust(corpus: Path) -> Path:
    return corpus / "online-boutique" / "rendered" / "helm-chart__zero-trust-ingress.yaml"


@pytest.fixture
def shared(corpus: Path) -> Path:
    return corpus / "online-boutique" / "rendered" / "helm-chart__authz-shared-default-sa.yaml"


def test_the_chart_grants_26_calls_and_21_are_needed(zero_trust: Path) -> None:
    chart, policy = sides(zero_trust)
    given, needed = granted(chart, "onlineboutique/"), granted(policy)

    assert (len(given), len(needed)) == (26, 21)
    assert needed < given
    assert given - needed == OVER_GRANTS


def test_the_difference_is_exactly_the_five_over_grants(zero_trust: Path) -> None:
    report = comparison(zero_trust)

    assert report.is_complete
    assert sorted(grants_in(report.newly_denied)) == sorted(OVER_GRANTS)
    assert grants_in(report.newly_allowed) == []


def test_each_over_grant_has_a_witness_that_holds_and_its_line(zero_trust: Path) -> None:
    report = comparison(zero_trust)
    chart, policy = sides(zero_trust)
    lines = zero_trust.read_text(encoding="utf-8").splitlines()

    regions = tuple(at_workloads(report.newly_denied))
    assert len(regions) == 5
    for region in regions:
        witness, (edit,) = region.witness, region.rules
        ((grant),) = grants_in((region,))
        assert witness is not None
        assert not decide(policy, witness, DAY).is_allowed
        assert witness.path == region.operations[0].replace("call ", "/")
        assert region.old is not None
        assert region.old.is_allowed
        assert (edit.kind, edit.subject, edit.new) == ("rule", POLICIES[grant.service], None)
        assert edit.old is not None
        line = report.old_sources[edit.old.file].position(edit.old.start).line
        assert lines[line - 1].strip() == "- from:"
        above = [text.strip() for text in lines[:line] if text.startswith(("  name:", "kind:"))]
        assert above[-2:] == ["kind: AuthorizationPolicy", f"name: {grant.service}"]
    assert chart.rules


def test_what_is_listed_apart_is_no_other_workload_of_the_chart(zero_trust: Path) -> None:
    report = comparison(zero_trust)
    chart, _ = sides(zero_trust)
    workloads = {service.name.removeprefix("onlineboutique/") for service in chart.services}

    assert elsewhere(report.newly_denied) & workloads == set(APART)
    assert elsewhere(report.newly_allowed) & workloads == {"frontend"}


def test_by_calling_workload_180_are_granted_and_159_are_beyond_the_policy(shared: Path) -> None:
    chart, policy = sides(shared)
    given, needed = granted(chart, "onlineboutique/"), granted(policy)

    assert len(given) == 180
    assert len(given - needed) == 159
    assert Grant("adservice", "paymentservice", "Charge") in given - needed


def test_the_difference_counted_by_calling_workload_is_159(shared: Path) -> None:
    chart, policy = sides(shared)
    report = comparison(shared, by_workload=True)
    beyond = grants_in(report.newly_denied)

    assert len(beyond) == 159
    assert set(beyond) == granted(chart, "onlineboutique/") - granted(policy)
    assert grants_in(report.newly_allowed) == []


def test_the_workloads_that_share_an_identity_are_named(shared: Path) -> None:
    chart, _ = sides(shared)
    findings = judge(read_policy([shared]), JudgeOptions(day=DAY)).findings

    (found,) = [one.diagnostic for one in findings if one.diagnostic.code == "MP504"]
    said = " ".join((found.message, *found.notes))
    assert len(chart.services) == 12
    assert [service.name for service in chart.services if f"`{service.name}`" not in said] == []


def test_the_chart_without_faults_has_no_findings(zero_trust: Path) -> None:
    assert judge(read_policy([zero_trust]), JudgeOptions(day=DAY)).findings == ()
