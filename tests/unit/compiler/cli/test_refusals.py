"""Input that cannot be judged, for programs: a report with the error on stdout, whatever the command answers else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.unit.compiler.driver.policies import TEA
from tests.unit.compiler.report.schemas import fits

from meshproof.compiler.cli.root import root

AS_OF = ("--at", "2026-11-23", "--output", "json")
POLICY = """
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: api, namespace: shop}
spec:
  action: CUSTOM
  provider: {name: opa}
  rules: [{}]
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(root, [str(argument) for argument in arguments])


def reported(done: Result) -> tuple[int, list[str]]:
    report = json.loads(done.stdout)
    assert fits("report-v1", report)
    return done.exit_code, [one["code"] for one in report["findings"]]


@pytest.mark.parametrize(
    ("command", "question"),
    [
        (("import", "istio"), ()),
        (("why",), ("shop -> kettle:http GET /level",)),
        (("query",), ("only shop reaches kettle",)),
        (("query", "--who-reaches", "kettle"), ()),
        (("check",), ()),
        (("drift", "--live", "."), ()),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_what_cannot_be_read_is_reported(command: tuple[str, ...], question: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*command, tmp_path / "gone.mesh", *question, *AS_OF)
    assert reported(done) == (2, ["MP001"])


def test_people_are_told_on_stderr(tmp_path: Path) -> None:
    done = run("why", tmp_path / "gone.mesh", "shop -> kettle:http GET /level", *AS_OF[:2])
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "MP001" in done.stderr


@pytest.mark.parametrize("request_", ["shop -> pot:http GET /", '{"source": {}}', "{"])
def test_a_request_that_is_none_is_reported(request_: str, tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")
    code, codes = reported(run("why", tmp_path / "tea.mesh", request_, *AS_OF))
    assert code == 2
    assert codes


def test_a_request_without_decision_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tea.mesh").write_text(TEA, encoding="utf-8")
    request = {"source": {"identity": None}, "destination": {"service": "kettle"}, "port": 8080, "protocol": "tcp"}
    done = run("why", tmp_path / "tea.mesh", json.dumps(request), *AS_OF)
    assert reported(done) == (2, ["MP101"])


def test_what_is_not_known_is_reported(tmp_path: Path) -> None:
    text = POLICY.replace("rules: [{}]", "rules: [{when: [{key: 'experimental.envoy.filters.a[b]', values: [x]}]}]")
    (tmp_path / "api.yaml").write_text(text.replace("CUSTOM\n  provider: {name: opa}", "DENY"), encoding="utf-8")
    request = {
        "source": {"identity": None},
        "destination": {"namespace": "shop", "labels": {"app": "api"}},
        "port": 8080,
        "protocol": "http",
        "method": "GET",
        "path": "/",
        "host": "api",
    }
    done = run("why", tmp_path / "api.yaml", json.dumps(request), *AS_OF)
    assert reported(done) == (3, ["MP606"])
