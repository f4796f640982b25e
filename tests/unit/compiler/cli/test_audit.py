"""Manifests that somebody inherits, as he calls the commands on them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import AS_OF, run

WORKLOADS = "".join(
    f"""---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec: {{template: {{metadata: {{labels: {{app: {name}}}}}, spec: {{serviceAccountName: {name}}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: shop}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 80, targetPort: 8080}}]}}
"""
    for name in ("cart", "orders", "payments")
)
POLICIES = """---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nothing, namespace: shop}
spec: {}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: payments, namespace: shop}
spec:
  selector: {matchLabels: {app: payments}}
  rules:
  - from: [{source: {principals: [cluster.local/ns/shop/sa/orders]}}]
    to: [{operation: {methods: [POST], paths: ["/charge"]}}]
  - from: [{source: {principals: [cluster.local/ns/shop/sa/cart]}}]
    to: [{operation: {methods: [POST], paths: ["/charge"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - to: [{operation: {methods: [GET]}}]
"""
OVERLAY = """
zone cards = { "shop/payments" }

prove "cart never charges" { no request from "shop/cart" to cards }
prove "orders charges" { only { "shop/orders", "shop/cart" } reaches cards }

test "charging" {
    "shop/orders" -> "shop/payments" POST /charge => allow
    "shop/orders" -> "shop/payments" GET /charge => deny
}

waive MP305 on "shop/orders[0]" because "the catalogue is public" owner "web" until 2027-01-31
waive MP501 on "shop/orders" because "two callers have no sidecar yet" owner "web" until 2027-01-31
"""


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    (tmp_path / "workloads.yaml").write_text(WORKLOADS, encoding="utf-8")
    (tmp_path / "policies.yaml").write_text(POLICIES, encoding="utf-8")
    return tmp_path


def findings(*arguments: str | Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(*arguments, "--output", "json").stdout)["findings"]
    return found


def test_findings_point_at_the_yaml_and_ask_for_nothing_that_only_the_language_has(manifests: Path) -> None:
    found = {one["code"]: one for one in findings("check", manifests, *AS_OF)}

    assert set(found) == {"MP305", "MP501"}
    assert (found["MP305"]["path"], found["MP305"]["line"]) == ("policies.yaml", 24)
    assert found["MP305"]["help"] == "say in `from` which `principals` need it"
    assert (found["MP501"]["path"], found["MP501"]["line"]) == ("workloads.yaml", 14)
    assert "no PeerAuthentication asks for mTLS" in str(found["MP501"]["message"])


def test_plaintext_that_every_rule_refuses_is_no_finding(manifests: Path) -> None:
    policies = manifests / "policies.yaml"
    policies.write_text(POLICIES.rpartition("---")[0], encoding="utf-8")

    assert findings("check", manifests, *AS_OF) == []


def test_what_one_cause_opens_is_one_finding(tmp_path: Path) -> None:
    (tmp_path / "workloads.yaml").write_text(WORKLOADS, encoding="utf-8")
    found = findings("check", tmp_path, *AS_OF)

    assert sorted(str(one["message"]).partition(", ")[0] for one in found) == [
        "no PeerAuthentication asks for mTLS: plaintext is accepted at 3 workloads",
        "no policy selects 3 workloads of namespace `shop`: everyone may call `shop/cart`",
    ]


def test_an_overlay_claims_tests_and_waives(manifests: Path) -> None:
    (manifests / "claims.mesh").write_text(OVERLAY, encoding="utf-8")

    done = run("check", manifests, *AS_OF)

    assert done.exit_code == 1, done.output
    assert "`cart never charges` does not hold" in done.stdout
    assert "1 claim proved, 1 claim refuted, 2 tests passed" in done.stdout
    waived = {str(one["code"]) for one in findings("check", manifests, *AS_OF) if one["waived"]}
    assert waived == {"MP305", "MP501"}


def test_what_was_noticed_while_reading_can_be_waived_too(manifests: Path) -> None:
    policies = manifests / "policies.yaml"
    policies.write_text(POLICIES.replace("app: orders", "app: order"), encoding="utf-8")
    waiver = 'waive MP715 on "shop/orders" because "renamed next week" owner "web" until 2027-01-31\n'
    (manifests / "claims.mesh").write_text(waiver, encoding="utf-8")

    assert [one["waived"] for one in findings("check", manifests, *AS_OF) if one["code"] == "MP715"] == [True]


def test_what_an_overlay_must_not_hold_is_refused(manifests: Path) -> None:
    (manifests / "claims.mesh").write_text('allow x: "shop/cart" -> "shop/orders"\n', encoding="utf-8")

    done = run("check", manifests, *AS_OF)

    assert done.exit_code == 2
    assert "MP022" in done.stdout


def test_why_names_the_policy_and_its_line(manifests: Path) -> None:
    done = run("why", manifests, '"shop/orders" -> "shop/payments" POST /charge', *AS_OF)

    assert done.exit_code == 0, done.output
    assert "policies.yaml:13:5" in done.stdout
    assert "written: AuthorizationPolicy shop/payments, rule 0" in done.stdout
    assert "emitted" not in done.stdout


def test_why_says_what_a_policy_would_have_asked_for(manifests: Path) -> None:
    done = run("why", manifests, '"shop/payments" -> "shop/payments" POST /charge', *AS_OF)

    assert "deny at default" in done.stdout
    assert "policies.yaml:13 `shop/payments[0]`" in done.stdout


@pytest.mark.parametrize("written", ["shop/payments:http", '"shop/payments"'])
def test_workloads_need_no_quotes_of_their_own(manifests: Path, written: str) -> None:
    done = run("query", manifests, "--who-reaches", written, *AS_OF)

    assert done.exit_code == 0, done.output
    assert "shop/orders -> shop/payments:http by shop/payments[0]" in done.stdout


def test_eval_names_the_rule(manifests: Path) -> None:
    request = {
        "source": {"identity": "spiffe://cluster.local/ns/shop/sa/orders"},
        "destination": {"namespace": "shop", "labels": {"app": "payments"}},
        "port": 8080,
        "protocol": "http",
        "method": "POST",
        "path": "/charge",
        "host": "payments",
    }

    done = run("eval", manifests, "--requests", "-", *AS_OF, text=json.dumps(request) + "\n")

    assert json.loads(done.stdout)["by"] == "shop/payments[0]"


def test_the_graph_has_the_workloads(manifests: Path) -> None:
    done = run("graph", manifests, *AS_OF)

    assert done.exit_code == 0
    assert '"shop/payments"' in done.stdout
