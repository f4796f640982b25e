"""Gateways without their Service: nothing is proved where rules name ports that may be the real ones."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.compiler.driver.policies import DAY
from tests.unit.compiler.verify.test_diff_of_unseen_ports import FILES, SERVICE

from meshproof.compiler.driver.judge import judge
from meshproof.compiler.driver.options import JudgeOptions
from meshproof.compiler.driver.policy import read_policy
from meshproof.compiler.report.model import Report
from meshproof.compiler.report.model_overview import OpenTo

NOBODY = 'no request from internet to "ops/edge"'
NO_PATH = 'no path from internet to "shop/api"'
FOR_EDGE = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: api, namespace: shop}
spec:
  selector: {matchLabels: {app: api}}
  rules: [{from: [{source: {principals: [cluster.local/ns/ops/sa/edge]}}]}]
---
"""


def judged(folder: Path, manifests: str, claim: str) -> Report:
    (folder / "mesh.yaml").write_text(manifests, encoding="utf-8")
    (folder / "claims.mesh").write_text(f'prove "it" {{\n    {claim}\n}}\n', encoding="utf-8")
    return judge(read_policy((folder,)), JudgeOptions(day=DAY))


@pytest.mark.parametrize(
    ("policies", "expected"),
    [("", "unknown"), (FOR_EDGE, "refuted"), (FOR_EDGE.replace("sa/edge", "sa/other"), "refuted")],
    ids=["no account", "the account that a policy names", "the one that it names, whatever it is called"],
)
def test_the_account_of_a_gateway_is_what_a_policy_names(tmp_path: Path, policies: str, expected: str) -> None:
    closed = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed, namespace: shop}
spec: {}
---
"""
    claim = 'no request from "ops/edge" to "shop/api"'
    (found,) = judged(tmp_path, FILES.replace("PORT", "443") + SERVICE + closed + policies, claim).claims
    assert found.verdict == expected


def test_chains_go_by_whatever_port_a_rule_names(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, FILES.replace("PORT", "8443") + FOR_EDGE, NO_PATH).claims
    assert found.verdict == "refuted"


def test_what_hangs_on_a_guessed_port_is_not_proved(tmp_path: Path) -> None:
    (found,) = judged(tmp_path, FILES.replace("PORT", "8443"), NOBODY).claims
    assert found.verdict == "unknown"
    assert found.reason == "no file says at which ports `ops/edge` listens, and rules name ports there"


def test_who_is_let_in_there_is_not_known(tmp_path: Path) -> None:
    overview = judged(tmp_path, FILES.replace("PORT", "8443"), NOBODY).overview
    assert overview is not None
    assert [group.to for group in overview.groups if group.are_gateways] == [OpenTo.NOT_KNOWN]


@pytest.mark.parametrize("claim", [NOBODY, NO_PATH])
def test_a_service_tells(tmp_path: Path, claim: str) -> None:
    (found,) = judged(tmp_path, FILES.replace("PORT", "8443") + FOR_EDGE + SERVICE, claim).claims
    assert found.verdict == "refuted"


def test_rules_without_ports_need_none(tmp_path: Path) -> None:
    closed = FILES.replace('rules: [{to: [{operation: {ports: ["PORT"]}}]}]', "rules: []")
    (found,) = judged(tmp_path, closed, NOBODY).claims
    assert found.verdict == "proved"
