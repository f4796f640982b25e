"""Files of App Mesh judged with what callers' own proxies keep: every answer says that nobody enforces it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.compiler.cli.running import AS_OF, run
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.report.honesty import REMARK

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

COOPERATIVE = ("--option", "app-mesh.judgement=cooperative")
SHOP = """
Resources:
  Mesh: {Type: AWS::AppMesh::Mesh, Properties: {MeshName: shop, Spec: {}}}
  Web:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: shop
      VirtualNodeName: web
      Spec: {Backends: [{VirtualService: {VirtualServiceName: pay.shop}}]}
  Other: {Type: AWS::AppMesh::VirtualNode, Properties: {MeshName: shop, VirtualNodeName: other, Spec: {}}}
  Pay:
    Type: AWS::AppMesh::VirtualNode
    Properties:
      MeshName: shop
      VirtualNodeName: pay
      Spec:
        ServiceDiscovery: {DNS: {Hostname: pay.shop}}
        Listeners: [{PortMapping: {Port: 9000, Protocol: http}}]
  PayService:
    Type: AWS::AppMesh::VirtualService
    Properties:
      MeshName: shop
      VirtualServiceName: pay.shop
      Spec: {Provider: {VirtualNode: {VirtualNodeName: pay}}}
"""
CLAIMS = """
prove "who pays" { only "shop/web" reaches "shop/pay" }
test "others" { "shop/other" -> "shop/pay" GET / => deny }
"""
HONEST = "every caller's own proxy is honest: what backends, routes and client TLS refuse is cooperative, not enforced"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "claims.mesh").write_text(CLAIMS, encoding="utf-8")
    return tmp_path


def _run(command: str, shop: Path, *more: str | Path) -> Result:
    return run(command, shop, *more, *AS_OF, *COOPERATIVE)


@pytest.mark.parametrize("command", ["check", "prove"])
def test_a_proof_says_first_and_last_that_it_is_cooperative(command: str, shop: Path) -> None:
    done = _run(command, shop)

    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{REMARK}\n")
    assert f"Proofs\n  {REMARK}\n  ✓ who pays" in done.stdout
    assert HONEST in done.stdout
    assert "shop as of 2026-11-23, cooperatively:" in done.stdout


def test_without_the_option_the_claim_is_refuted_and_nothing_is_said_of_honesty(shop: Path) -> None:
    done = run("prove", shop, *AS_OF)

    assert done.exit_code == 1
    assert REMARK not in done.stdout
    assert "cooperatively" not in done.stdout


def test_programs_are_told_too(shop: Path) -> None:
    report = json.loads(_run("check", shop, "--output", "json").stdout)

    assert report["judgement"] == "cooperative"
    assert HONEST in report["claims"][0]["assumptions"]
    assert fits("report-v1", report)
    assert "judgement" not in json.loads(run("check", shop, *AS_OF, "--output", "json").stdout)
    assert f'<testsuite name="claims ({REMARK})"' in _run("check", shop, "--output", "junit").stdout


def test_evidence_calls_no_claim_satisfied(shop: Path, tmp_path: Path) -> None:
    done = _run("prove", shop, "--evidence", tmp_path / "evidence")

    assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "evidence/manifest.json").read_text(encoding="utf-8"))
    assert {one["status"] for one in manifest["claims"]} == {"not-satisfied"}
    assert {one["reason"] for one in manifest["claims"]} == {
        "proved cooperatively: callers' own proxies keep it, and nobody enforces it"
    }
    assert manifest["options"]["target"] == {"app-mesh.judgement": "cooperative"}


def test_decisions_and_their_reasons_say_so(shop: Path) -> None:
    request = {"source": {"identity": "spiffe://shop/ns/shop/sa/other"}, "destination": {"service": "shop/pay"}}
    asked = {**request, "port": 9000, "protocol": "http", "method": "GET", "path": "/", "host": "pay"}
    arguments = ("eval", shop, *AS_OF, *COOPERATIVE, "--requests", "-")
    decided = json.loads(run(*arguments, text=json.dumps(asked) + "\n").stdout)

    assert (decided["decision"], decided["judgement"]) == ("deny", "cooperative")
    assert fits("decision-v1", decided)
    why = run("why", shop, json.dumps(asked), *AS_OF, *COOPERATIVE)
    assert why.stdout.startswith(f"{REMARK}\n\n")
    told = json.loads(run("why", shop, json.dumps(asked), *AS_OF, *COOPERATIVE, "--output", "json").stdout)
    assert told["judgement"] == "cooperative"
    assert fits("why-v1", told)


def test_pictures_and_ways_say_so(shop: Path) -> None:
    drawn = _run("graph", shop).stdout
    assert drawn.startswith(f'---\ntitle: "{REMARK}"\n---\nflowchart LR\n')
    assert drawn.count("-->") == 1
    assert f'label="{REMARK}"' in _run("graph", shop, "--format", "dot").stdout
    as_json = json.loads(_run("graph", shop, "--format", "json").stdout)
    assert (as_json["judgement"], len(as_json["links"])) == ("cooperative", 1)
    assert fits("graph-v1", as_json)
    assert run("graph", shop, *AS_OF).stdout.startswith("flowchart LR")
    ways = _run("query", shop, "--who-reaches", "shop/pay")
    assert ways.stdout == f"{REMARK}\n\nCalls\n  shop/web -> shop/pay:port-9000 by shop/pay:9000\n"
    answered = json.loads(_run("query", shop, "--who-reaches", "shop/pay", "--output", "json").stdout)
    assert answered["judgement"] == "cooperative"
    assert fits("query-v1", answered)


@pytest.mark.parametrize("whose", ["", 'from "shop/web" '])
def test_no_identity_that_is_told_is_a_sign_of_mtls(whose: str, shop: Path) -> None:
    """Nothing is encrypted there, whoever is honest."""
    done = run("query", shop, f'every request {whose}to "shop/pay" is mtls', *AS_OF, *COOPERATIVE)

    assert done.exit_code == 1
    assert "refuted" in done.stdout


def test_what_is_imported_is_who_calls_whom_and_says_that_nobody_enforces_it(shop: Path) -> None:
    done = run("import", "app-mesh", shop / "shop.yaml", *AS_OF, *COOPERATIVE)

    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[1] == f"# {REMARK}"
    assert "allow pay-9000: web -> pay" in done.stdout
    assert f"note: {REMARK}" in done.stderr
    enforced = run("import", "app-mesh", shop / "shop.yaml", *AS_OF)
    assert "allow pay-9000: anyone -> pay" in enforced.stdout


def test_a_difference_says_which_side_nobody_enforces(shop: Path, tmp_path: Path) -> None:
    policy = tmp_path / "imported.mesh"
    policy.write_text(run("import", "app-mesh", shop / "shop.yaml", *AS_OF, *COOPERATIVE).stdout, encoding="utf-8")
    done = run("diff", shop / "shop.yaml", policy, *AS_OF, *COOPERATIVE)

    assert done.exit_code == 0, done.output
    assert f"the old side is {REMARK}" in " ".join(done.stdout.split())


def test_a_compile_is_told_otherwise(tmp_path: Path) -> None:
    policy = tmp_path / "shop.mesh"
    policy.write_text('mesh shop { language 1  trust-domain "td"  namespace shop }\n', encoding="utf-8")
    done = run("compile", policy, *AS_OF, "--target", "app-mesh", "--out", tmp_path / "o", *COOPERATIVE)

    assert done.exit_code == 1, done.output
    assert "a compile is told by `--require` what callers may keep" in done.stdout
