"""`drift`: what runs against what the policy says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.compiler.driver.policies import TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.root import root

AS_OF = ("--at", "2026-11-23")
POLICIES = "out/manifests/tea/authorization-policy.yaml"
FOREIGN = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: extra, namespace: tea}
spec:
  selector: {matchLabels: {app: kettle}}
  action: ALLOW
  rules:
  - from: [{source: {principals: ["cluster.local/ns/tea/sa/spy"]}}]
    to: [{operation: {methods: ["GET"], ports: ["8080"], paths: ["/level"]}}]
"""


def run(*arguments: str | Path, text: str = "") -> Result:
    return CliRunner().invoke(root, [str(argument) for argument in arguments], input=text)


@pytest.fixture
def live(tmp_path: Path) -> Path:
    """A folder with the policy and with what it compiles to."""
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")
    done = run("compile", tmp_path / "tea.mesh", *AS_OF, "--target", "istio", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    return tmp_path


def drifted(live: Path) -> tuple[int, dict[str, object]]:
    done = run("drift", live / "tea.mesh", *AS_OF, "--live", live / "out", "--output", "json")
    report = json.loads(done.stdout)
    assert fits("drift-v1", report)
    return done.exit_code, report


def edited(live: Path, old: str, new: str) -> None:
    path = live / POLICIES
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_what_was_compiled_has_not_drifted(live: Path) -> None:
    code, report = drifted(live)

    assert (code, report["drifted"]) == (0, False)
    assert (report["missing"], report["foreign"], report["dry_run"]) == ([], [], [])


def test_an_edit_that_opens_something_is_told_with_a_request(live: Path) -> None:
    edited(live, "- /boil", '- "/b*"')

    done = run("drift", live / "tea.mesh", *AS_OF, "--live", live / "out")

    assert done.exit_code == 1
    assert "Newly allowed" in done.stdout
    assert "shop -> kettle:8080" in done.stdout
    assert "what runs is not what the policy says" in done.stdout


def test_an_object_that_is_gone_is_missing(live: Path) -> None:
    (live / "out/manifests/tea/peer-authentication.yaml").unlink()

    code, report = drifted(live)

    assert code == 1
    assert {one["kind"] for one in report["missing"]} == {"PeerAuthentication"}  # type: ignore[attr-defined]  # as the schema says


def test_an_object_of_others_that_opens_something_is_foreign_and_drift(live: Path) -> None:
    (live / "out/manifests/extra.yaml").write_text(FOREIGN, encoding="utf-8")

    code, report = drifted(live)

    assert code == 1
    assert report["foreign"] == [{"kind": "AuthorizationPolicy", "namespace": "tea", "name": "extra"}]


def test_an_object_of_others_that_changes_nothing_is_told_and_no_drift(live: Path) -> None:
    (live / "out/manifests/extra.yaml").write_text(FOREIGN.replace("sa/spy", "sa/shop"), encoding="utf-8")

    code, report = drifted(live)

    assert code == 0
    assert [one["name"] for one in report["foreign"]] == ["extra"]  # type: ignore[attr-defined]  # as the schema says


def test_a_dry_run_that_was_left_on_is_drift(live: Path) -> None:
    edited(live, "annotations:", 'annotations:\n    istio.io/dry-run: "true"')

    code, report = drifted(live)

    assert code == 1
    assert len(report["dry_run"]) == 1  # type: ignore[arg-type]  # as the schema says


def test_live_objects_come_from_stdin(live: Path) -> None:
    objects = "---\n".join(
        path.read_text(encoding="utf-8") for path in sorted((live / "out/manifests").rglob("*.yaml"))
    )

    done = run("drift", live / "tea.mesh", *AS_OF, "--live", "-", text=objects)

    assert done.exit_code == 0, done.output


def test_manifests_are_compared_with_manifests(live: Path) -> None:
    assert run("drift", live / "out", *AS_OF, "--live", live / "out").exit_code == 0


@pytest.mark.parametrize("place", ["nowhere", "tea.mesh", "empty.yaml"])
def test_without_live_objects_nothing_is_judged(place: str, live: Path) -> None:
    (live / "empty.yaml").touch()
    assert run("drift", live / "tea.mesh", *AS_OF, "--live", live / place).exit_code == 2


WORKLOADS = """\
apiVersion: v1
kind: Service
metadata: {name: kettle, namespace: tea}
spec: {selector: {app: kettle}, ports: [{name: http, port: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: kettle, namespace: tea}
spec:
  selector: {matchLabels: {app: kettle}}
  template:
    metadata: {labels: {app: kettle}}
    spec: {serviceAccountName: kettle, containers: [{name: c, image: c, ports: [{containerPort: 8080}]}]}
"""


def test_manifests_that_show_no_workloads_are_what_runs_if_the_same_runs(live: Path) -> None:
    done = run("drift", live / "out", *AS_OF, "--live", live / "out/manifests")

    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, "what runs is what the policy says"), done.output


def test_manifests_that_show_no_workloads_are_judged_at_those_that_run(tmp_path: Path) -> None:
    (tmp_path / "policy.yaml").write_text(FOREIGN, encoding="utf-8")
    running = tmp_path / "running"
    running.mkdir()
    (running / "all.yaml").write_text(f"{FOREIGN}---\n{WORKLOADS}", encoding="utf-8")

    same = run("drift", tmp_path / "policy.yaml", *AS_OF, "--live", running)
    (running / "all.yaml").write_text(f"{FOREIGN.replace('sa/spy', 'sa/shop')}---\n{WORKLOADS}", encoding="utf-8")
    other = run("drift", tmp_path / "policy.yaml", *AS_OF, "--live", running)

    assert same.exit_code == 0, same.output
    assert other.exit_code == 1
    assert "Newly allowed" in other.stdout


RUNNING = """
apiVersion: v1
kind: ServiceAccount
metadata: {{name: {name}, namespace: tea}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}-{version}, namespace: tea}}
spec: {{template: {{metadata: {{labels: {{app: {name}, version: {version}}}}}, spec: {{serviceAccountName: {name}}}}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: tea}}
spec: {{selector: {{app: {name}}}, ports: [{{name: http, port: 8080}}]}}
---
"""
EDGE = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: edge, namespace: tea}
spec: {template: {metadata: {labels: {istio: edge}}, spec: {serviceAccountName: edge}}}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: tea}
spec: {selector: {istio: edge}, ports: [{name: https, port: 443, targetPort: 8443}]}
"""
GATEWAY = """
gateway edge { hosts "tea.example.com"  port https 443 -> 8443  certificate "tea" }
allow guests: internet -> edge
allow order: edge -> shop { POST /order }
route edge { host "tea.example.com" /** => shop:http }
"""


@pytest.fixture
def running(tmp_path: Path) -> Path:
    """What a policy with a gateway compiles to, beside the workloads that run: two versions of `kettle`."""
    (tmp_path / "tea.mesh").write_text(TEA + GATEWAY, encoding="utf-8")
    done = run("compile", tmp_path / "tea.mesh", *AS_OF, "--target", "istio", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    places = (("kettle", "v1"), ("kettle", "v2"), ("shop", "v1"), ("spy", "v1"))
    texts = (RUNNING.format(name=name, version=version) for name, version in places)
    (tmp_path / "out" / "running.yaml").write_text("".join(texts) + EDGE, encoding="utf-8")
    return tmp_path


def test_versions_and_gateways_that_run_as_they_do_are_no_drift(running: Path) -> None:
    code, report = drifted(running)
    assert (code, report["drifted"]) == (0, False)
    difference = report["difference"]
    assert isinstance(difference, dict)
    assert difference["verdict"] == "equal"


def test_a_version_of_which_more_is_said_is_drift(running: Path) -> None:
    own = FOREIGN.replace("app: kettle", "app: kettle, version: v2")
    (running / "out" / "more.yaml").write_text(own, encoding="utf-8")
    code, report = drifted(running)
    assert (code, report["drifted"]) == (1, True)
    assert "tea/kettle-v2" in json.dumps(report["difference"])


def test_a_gateway_that_lets_more_through_is_drift(running: Path) -> None:
    path = running / "out" / "manifests" / "tea" / "authorization-policy.yaml"
    text = path.read_text(encoding="utf-8")
    more = FOREIGN.replace("app: kettle", "istio: edge").replace('"8080"', '"8443"')
    opened = more.replace('source: {principals: ["cluster.local/ns/tea/sa/spy"]}', 'source: {notPrincipals: ["x"]}')
    path.write_text(text.replace("notPrincipals", "principals", 1), encoding="utf-8")
    assert drifted(running)[0] == 1
    path.write_text(text, encoding="utf-8")
    (running / "out" / "more.yaml").write_text(opened, encoding="utf-8")
    assert drifted(running)[0] == 0, "guests are let in anyway"


def test_a_diff_of_a_policy_from_what_runs_speaks_of_its_services(running: Path) -> None:
    done = run("diff", running / "tea.mesh", running / "out", *AS_OF)
    assert "kettle-v1" not in done.stdout
    assert "asks callers for no certificate" in done.stdout
