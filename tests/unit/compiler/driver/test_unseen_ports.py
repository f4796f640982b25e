"""Workloads that policies select and no Service shows: an overlay names their ports by number, whatever they speak."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from meshproof.compiler.cli.root import root
from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import Policy, policy_of_manifests
from meshproof.compiler.ir.request import RequestProtocol
from meshproof.compiler.report.model import ClaimVerdict

DAY = date(2026, 11, 23)
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/web]}}]
    to: [{operation: {ports: ["8080"], methods: [GET]}}]
"""
SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
"""


def _with(overlay: str, manifests: str = POLICY) -> Policy:
    return policy_of_manifests({"api.yaml": manifests}, overlay={"api.mesh": overlay})


def test_a_test_line_names_a_port_that_no_service_shows() -> None:
    found = _with('test t { plaintext -> "shop/api":8080 GET / => deny  plaintext -> "shop/api":5432 => deny }')
    assert found.is_judgeable, found.diagnostics
    requests = [line.requests[0] for line in found.meshes[0].tests[0].lines]
    assert [(one.port, one.protocol) for one in requests] == [
        (8080, RequestProtocol.HTTP),
        (5432, RequestProtocol.TCP),
    ]


def test_a_claim_names_one_too() -> None:
    found = _with('prove "p" { every request to "shop/api":8080 is GET /** }')
    assert found.is_judgeable, found.diagnostics


@pytest.mark.parametrize(
    ("line", "manifests", "code", "text"),
    [
        ('plaintext -> "shop/api" GET / => deny', POLICY, "MP233", "no file says on which ports `shop/api` listens"),
        ('plaintext -> "shop/api":0 GET / => deny', POLICY, "MP211", "`shop/api` has no port `0`"),
        ('plaintext -> "shop/api":http GET / => deny', POLICY, "MP211", "`shop/api` has no port `http`"),
        ('plaintext -> "shop/api":80 GET / => deny', POLICY + SERVICE, "MP211", "`shop/api` has no port `80`"),
    ],
)
def test_what_is_no_such_port_is_refused(line: str, manifests: str, code: str, text: str) -> None:
    found = _with(f"test t {{ {line} }}", manifests)
    assert [(one.code, one.message) for one in found.diagnostics] == [(code, text)]


DENIED = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: api, namespace: shop}
spec:
  action: DENY
  selector: {matchLabels: {app: api}}
  rules:
  - from: [{source: {notPrincipals: [cluster.local/ns/shop/sa/web]}}]
    to: [{operation: {ports: ["8080"]}}]
"""
WEB = 'identity "spiffe://cluster.local/ns/shop/sa/web"'
PODS = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api}}}
"""


def _verdicts(claims: str, manifests: str) -> list[ClaimVerdict]:
    policy = _with(f'prove "p" {{ {claims} }}', manifests)
    assert policy.is_judgeable, policy.diagnostics
    return [one.verdict for one in judge(policy, JudgeOptions(DAY)).claims]


@pytest.mark.parametrize("manifests", [POLICY, POLICY + SERVICE + PODS], ids=["unseen", "shown"])
def test_a_workload_whose_rules_name_all_that_is_allowed_is_proved(manifests: str) -> None:
    claims = f'only {WEB} reaches "shop/api"  no request from plaintext to all  {WEB} can reach "shop/api"'
    assert _verdicts(claims, manifests) == [ClaimVerdict.PROVED] * 3


def test_a_port_that_no_service_shows_refutes_a_claim_about_the_workload() -> None:
    manifests = DENIED + SERVICE + PODS
    claims = f'only {WEB} reaches "shop/api"  no request from plaintext to all  only {WEB} reaches "shop/api":8080'
    refuted, proved = ClaimVerdict.REFUTED, ClaimVerdict.PROVED
    assert _verdicts(claims, manifests) == [refuted, refuted, proved]
    assert _verdicts(f'only {WEB} reaches {{ "shop/api" except "shop/api":http }}', manifests) == [refuted]


def test_what_must_go_on_working_is_asked_of_the_ports_that_services_show() -> None:
    claims = f'{WEB} can reach "shop/api"  plaintext can reach "shop/api"'
    assert _verdicts(claims, POLICY + SERVICE + PODS) == [ClaimVerdict.PROVED, ClaimVerdict.REFUTED]
    assert _verdicts(f'{WEB} can reach "shop/api":9999', POLICY) == [ClaimVerdict.REFUTED]
    shut = POLICY.partition("  rules:")[0]
    assert _verdicts(f'{WEB} can reach "shop/api"', shut) == [ClaimVerdict.REFUTED]


def test_the_port_that_stands_for_all_others_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(DENIED + SERVICE + PODS, encoding="utf-8")
    done = CliRunner().invoke(root, ["query", str(tmp_path), "--reached-by", "plaintext", "--at", "2026-11-23"])
    assert "plaintext -> shop/api (other ports) by default" in done.stdout
    assert "49152" not in done.stdout
