"""What a list made by hand says is wrong in the corpus, entry by entry: each is found by `check` or by `diff`.

Most are found in the manifests alone. What an application needs stands in no manifest: S1, S3, S5 and S6 are found as
differences to a policy that says it.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest
from tests.corpus.boutique import DAY, comparison, grants_in
from tools.istio_audit import applications

from meshproof.compiler.driver.diffing import Comparison, compare, read_sides
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import DEFAULT_READING, read_policy
from meshproof.compiler.report.model_diff import DiffReport, RegionReport

pytestmark = [pytest.mark.corpus]

CHART = "online-boutique/rendered/helm-chart__"
IN_MANIFESTS = [
    ("S2", f"{CHART}authz-external-frontend.yaml", "MP305", "onlineboutique/frontend[0]"),
    ("S2", f"{CHART}authz-external-frontend.yaml", "MP501", "onlineboutique/frontend"),
    ("S3", f"{CHART}authz-shared-default-sa.yaml", "MP504", "onlineboutique/paymentservice"),
    ("S4", f"{CHART}authz-shared-default-sa.yaml", "MP501", "no PeerAuthentication asks"),
    ("S7", "asm-samples", "MP305", "lets in every identity"),
    ("S8", "redhatgov-workshop", "MP304", "boards-shared-lockdown[1]"),
    ("S9", "connected-cars", "MP715", "`v2` of `telemetry-destination`"),
    ("S9", "connected-cars", "MP715", "`connected-cars/telemetry-internal` sends 10 % to `v2`"),
    ("S10", "connected-cars", "MP507", "connected-cars/auth-service"),
    ("S11", "connected-cars", "MP323", "/api/v1/telemetry*"),
    ("S11", "connected-cars", "MP324", "/api/v1/telemetry/*"),
    ("S12", "connected-cars", "MP305", "notification-http-lockdown[1]"),
    ("S12", "connected-cars", "MP323", "/actuator/health*"),
    ("S13", "eventflow-commerce", "MP322", "`eventflow/kafka`, `eventflow/postgres`, `eventflow/redis`"),
    ("S14", "eventflow-commerce", "MP410", "eventflow/payment-service"),
    ("S14", "eventflow-commerce", "MP410", "eventflow/order-service"),
    ("S15", "eventflow-commerce", "MP325", "eventflow/api-gateway[0]"),
]
"""Entry, application, code, and what the finding names."""
IN_COMPARISONS = ("S1", "S3", "S5", "S6")
BANK = Path(__file__).parent / "bank.mesh"
BANK_MANIFESTS = "demos/asm-mcp-multi-clusters/terraform/lab_materials/bank-of-anthos/authorization-policies.yaml"


@cache
def said(path: Path) -> tuple[tuple[str, str], ...]:
    """The findings of an application: code, and message with notes."""
    findings = judge(read_policy([path]), JudgeOptions(day=DAY)).findings
    return tuple((one.diagnostic.code, " ".join((one.diagnostic.message, *one.diagnostic.notes))) for one in findings)


@cache
def bank(corpus: Path) -> DiffReport:
    """What `diff` finds between the policies of the bank and what its source needs."""
    manifests = corpus / "asm-samples" / "files" / BANK_MANIFESTS
    return compare(*read_sides(str(manifests), str(BANK), DEFAULT_READING), Comparison(DAY))


def at(regions: tuple[RegionReport, ...], place: str) -> list[RegionReport]:
    """The regions at one port."""
    return [region for region in regions if place in region.destinations]


@pytest.mark.parametrize(("number", "application", "code", "text"), IN_MANIFESTS)
def test_it_is_found_in_the_manifests(corpus: Path, number: str, application: str, code: str, text: str) -> None:
    path = dict(applications(corpus))[application]

    assert [message for found, message in said(path) if found == code and text in message], number


def test_s1_the_chart_grants_more_than_is_needed(corpus: Path) -> None:
    report = comparison(corpus / f"{CHART}zero-trust-ingress.yaml")

    assert len(grants_in(report.newly_denied)) == 5


def test_s3_with_one_account_everyone_may_do_what_anyone_may(corpus: Path) -> None:
    report = comparison(corpus / f"{CHART}authz-shared-default-sa.yaml", by_workload=True)

    assert len(grants_in(report.newly_denied)) == 159


def test_s4_who_comes_without_identity_is_refused_but_at_the_open_frontend(corpus: Path) -> None:
    paths = dict(applications(corpus))
    closed = said(paths[f"{CHART}zero-trust-ingress.yaml"])
    (found,) = [message for code, message in said(paths[f"{CHART}authz-external-frontend.yaml"]) if code == "MP501"]

    assert "at 1 workload, `onlineboutique/frontend`" in found
    assert [message for code, message in closed if code == "MP501"] == []


def test_s5_a_call_that_is_needed_is_refused(corpus: Path) -> None:
    (region,) = at(bank(corpus).newly_allowed, "contacts:http")

    assert (region.sources, region.operations) == (("frontend",), ("POST /contacts/*",))
    assert region.old is not None
    assert not region.old.is_allowed
    assert region.witness is not None
    assert region.witness.method == "POST"


def test_s6_what_nobody_needs_is_granted(corpus: Path) -> None:
    report = bank(corpus)
    (users,) = at(report.newly_denied, "userservice:http")
    (ledger,) = at(report.newly_denied, "ledgerwriter:http")

    assert users.operations == ("GET /users", "POST /login")
    assert [edit.subject for edit in users.rules] == ["bank-of-anthos/userservice[0]"]
    assert [edit.subject for edit in ledger.rules] == ["bank-of-anthos/ledgerwriter[0]"]
    assert ledger.witness is not None
    assert ledger.witness.path is not None
    assert ledger.witness.path.startswith("/transactions/")
    assert at(report.newly_allowed, "userservice:http") == []


def test_every_entry_has_a_test(corpus: Path) -> None:
    listed = json.loads((corpus / "EXPECTED.json").read_text(encoding="utf-8"))["findings"]

    assert {entry["id"] for entry in listed} == {number for number, *_ in IN_MANIFESTS} | set(IN_COMPARISONS)
