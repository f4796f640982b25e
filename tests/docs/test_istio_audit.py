"""What the page about audits says was found, and what a hand-made list says must be found."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from tools.istio_audit import DAY, PAGE, applications, page_with, table

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import read_policy

pytestmark = [pytest.mark.corpus, pytest.mark.slow]

# What EXPECTED.json of the corpus has by number, where `check` can know it: the code, and what names the thing. S1 and
# the count of S3 are differences to an intent (`diff`), S5 and S6 need the source of the application.
EXPECTED = [
    ("S2", "online-boutique/rendered/helm-chart__authz-external-frontend.yaml", "MP305", "onlineboutique/frontend[0]"),
    ("S2", "online-boutique/rendered/helm-chart__authz-external-frontend.yaml", "MP501", "onlineboutique/frontend"),
    ("S4", "online-boutique/rendered/helm-chart__authz-shared-default-sa.yaml", "MP501", "no PeerAuthentication asks"),
    ("S7", "asm-samples", "MP305", "lets in every identity"),
    ("S8", "redhatgov-workshop", "MP304", "boards-shared-lockdown[1]"),
    ("S9", "connected-cars", "MP715", "`v2` of `telemetry-destination`"),
    ("S10", "connected-cars", "MP507", "connected-cars/auth-service"),
    ("S11", "connected-cars", "MP323", "/api/v1/telemetry*"),
    ("S11", "connected-cars", "MP324", "/api/v1/telemetry/*"),
    ("S12", "connected-cars", "MP305", "notification-http-lockdown[1]"),
    ("S12", "connected-cars", "MP323", "/actuator/health*"),
    ("S13", "eventflow-commerce", "MP322", "`eventflow/kafka`, `eventflow/postgres`, `eventflow/redis`"),
    ("S14", "eventflow-commerce", "MP410", "eventflow/payment-service"),
    ("S15", "eventflow-commerce", "MP325", "eventflow/api-gateway[0]"),
]


@cache
def said(path: Path) -> tuple[tuple[str, str], ...]:
    """The findings of an application: code, and message with notes."""
    findings = judge(read_policy([path]), JudgeOptions(day=DAY)).findings
    return tuple((one.diagnostic.code, " ".join((one.diagnostic.message, *one.diagnostic.notes))) for one in findings)


@pytest.mark.parametrize(("number", "application", "code", "text"), EXPECTED)
def test_what_is_known_to_be_wrong_is_found(corpus: Path, number: str, application: str, code: str, text: str) -> None:
    path = dict(applications(corpus))[application]

    assert [message for found, message in said(path) if found == code and text in message], number


def test_the_workloads_that_share_an_identity_are_named(corpus: Path) -> None:
    path = dict(applications(corpus))["online-boutique/rendered/helm-chart__authz-shared-default-sa.yaml"]
    names = ("ad", "cart", "checkout", "currency", "email", "payment", "productcatalog", "recommendation", "shipping")

    (message,) = [message for code, message in said(path) if code == "MP504"]
    assert [name for name in names if f"`onlineboutique/{name}service`" not in message] == []


def test_the_chart_without_faults_has_no_findings(corpus: Path) -> None:
    path = dict(applications(corpus))["online-boutique/rendered/helm-chart__zero-trust-ingress.yaml"]

    assert said(path) == ()


def test_the_page_has_what_is_found(corpus: Path) -> None:
    there = PAGE.read_text(encoding="utf-8")

    assert page_with(there, table(corpus)) == there, "run `python -m tools.istio_audit CORPUS`, and read the difference"
