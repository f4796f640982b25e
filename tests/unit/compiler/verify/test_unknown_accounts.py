"""Workloads that files speak of without a word about their accounts: nothing about them as callers is proved."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.compiler.driver.policies import DAY

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import read_policy

SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: {0}, namespace: shop}}
spec: {{selector: {{app: {0}}}, ports: [{{name: http, port: 80}}]}}
---"""
PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, sidecar.istio.io/inject: "true"}}
    spec: {serviceAccountName: ACCOUNT, containers: [{name: c}]}
---"""
POLICIES = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  rules: [{from: [{source: {principals: ["cluster.local/ns/shop/sa/web"]}}]}]
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: {name: default, namespace: shop}
spec: {mtls: {mode: STRICT}}
"""
BARE = SERVICE.format("api") + SERVICE.format("web") + POLICIES
NONE_FROM_WEB = 'no request from "shop/web" to "shop/api"'


def verdict(folder: Path, manifests: str, claim: str) -> tuple[str, str]:
    (folder / "mesh.yaml").write_text(manifests, encoding="utf-8")
    (folder / "claims.mesh").write_text(f'prove "it" {{\n    {claim}\n}}\n', encoding="utf-8")
    (found,) = judge(read_policy((folder,)), JudgeOptions(day=DAY)).claims
    return str(found.verdict), found.reason


def test_what_is_proved_of_a_guess_is_not_proved(tmp_path: Path) -> None:
    assert verdict(tmp_path, BARE, NONE_FROM_WEB) == ("unknown", "no file says under which account `shop/web` runs")


CLOSED = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: none, namespace: shop}
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: v1, namespace: shop}
spec: {selector: {matchLabels: {app: api, version: v1}}, rules: [RULES]}
"""


@pytest.mark.parametrize(
    ("rules", "claim", "expected"),
    [
        ("{}", 'no request from anyone to "shop/api"', "unknown"),
        ("", 'no request from anyone to { "shop/api", "shop/api-v1" }', "proved"),
        ("{}", 'no request from anyone to "shop/api-v1"', "refuted"),
    ],
)
def test_pods_that_may_be_of_another_workload_too(tmp_path: Path, rules: str, claim: str, expected: str) -> None:
    manifests = SERVICE.format("api") + CLOSED.replace("RULES", rules)
    assert verdict(tmp_path, manifests, claim)[0] == expected


@pytest.mark.parametrize(("account", "expected"), [("web", "refuted"), ("other", "proved")])
def test_it_is_told_once_the_pods_are_there(tmp_path: Path, account: str, expected: str) -> None:
    assert verdict(tmp_path, PODS.replace("ACCOUNT", account) + BARE, NONE_FROM_WEB)[0] == expected


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ('only namespace shop reaches "shop/api"', "proved"),
        ('no request from namespace other to "shop/api"', "proved"),
        ('only "shop/web" reaches "shop/api"', "refuted"),
        (
            'no request from { namespace shop } except identity "spiffe://cluster.local/ns/shop/sa/web" to "shop/api"',
            "unknown",
        ),
    ],
)
def test_sets_that_have_every_account_are_certain(tmp_path: Path, claim: str, expected: str) -> None:
    assert verdict(tmp_path, BARE, claim)[0] == expected
