"""`meshproof import istio`: what goes where, what is never written over, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.unit.compiler.cli.running import AS_OF, run
from tests.unit.compiler.report.schemas import fits

MESH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api, namespace: shop}
spec: {template: {metadata: {labels: {app: api}}, spec: {serviceAccountName: api}}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nothing, namespace: shop}
spec: {}
"""
UNSAYABLE = """\
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: odd, namespace: shop}
spec: {rules: [{when: [{key: remote.ip, values: [10.0.0.1]}]}]}
"""


@pytest.fixture
def files(tmp_path: Path) -> Path:
    path = tmp_path / "mesh.yaml"
    path.write_text(MESH)
    return path


def test_the_policy_goes_to_stdout_and_the_rest_to_stderr(files: Path) -> None:
    result = run("import", "istio", files, *AS_OF)

    assert result.exit_code == 0, result.stderr
    assert "service api { port http 80 -> 8080 }" in result.stdout
    assert "everything was taken" in result.stderr
    assert "proved: the policy means what the files mean" in result.stderr


def test_what_is_imported_is_a_policy_that_can_be_checked(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "shop.mesh"

    assert run("import", "istio", files, "-o", out, *AS_OF).exit_code == 0
    assert run("fmt", "--check", out).exit_code == 0
    assert run("prove", out, *AS_OF).exit_code == 0


def test_what_was_not_taken_has_its_place_and_its_reason(files: Path) -> None:
    files.write_text(MESH + UNSAYABLE)
    result = run("import", "istio", files, *AS_OF)

    assert result.exit_code == 1
    assert "mesh.yaml:19: `shop/odd[0]`: it reads `remote.ip`, for which the language has no word" in result.stderr
    assert "The files allow, and the policy does not" in result.stderr
    assert "such as " in result.stderr
    assert result.stdout.startswith("# imported from mesh.yaml")


def test_data_is_what_the_schema_says(files: Path, tmp_path: Path) -> None:
    files.write_text(MESH + UNSAYABLE)
    result = run("import", "istio", files, "--output", "json", *AS_OF)
    document = json.loads(result.stdout)

    assert fits("import-v1", document)
    assert document["exit_code"] == result.exit_code == 1
    assert [(one["subject"], one["line"]) for one in document["untaken"]] == [("shop/odd[0]", 19)]
    assert document["difference"]["newly_denied"][0]["witness"] is not None
    assert document["policy"].startswith("# imported from mesh.yaml")

    beside = tmp_path / "import.json"
    again = run("import", "istio", files, "--output", f"json={beside}", *AS_OF)
    assert again.stdout == document["policy"]
    assert json.loads(beside.read_text()) == document


def test_a_file_that_says_something_else_is_left_alone(files: Path, tmp_path: Path) -> None:
    out = tmp_path / "shop.mesh"
    out.write_text("# mine\n")
    refused = run("import", "istio", files, "-o", out, *AS_OF)

    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert out.read_text() == "# mine\n"

    assert run("import", "istio", files, "-o", out, "--force", *AS_OF).exit_code == 0
    written = out.read_text()
    assert "service api" in written
    assert run("import", "istio", files, "-o", out, *AS_OF).exit_code == 0
    assert out.read_text() == written


def test_files_that_cannot_be_read_end_with_2(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("apiVersion: v1\nkind: [\n")
    out = tmp_path / "shop.mesh"
    result = run("import", "istio", path, "-o", out, *AS_OF)

    assert result.exit_code == 2
    assert "broken.yaml:" in result.stderr
    assert not out.exists()


def test_another_kind_of_mesh_is_no_choice(files: Path) -> None:
    result = run("import", "linkerd", files)

    assert result.exit_code == 2
    assert "istio" in result.stderr


def test_stdin_is_read(files: Path) -> None:
    result = run("import", "istio", "-", *AS_OF, text=files.read_text())

    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("# imported from <stdin>")


def test_quiet_says_nothing_about_what_is_fine_but_its_notes(files: Path) -> None:
    result = run("import", "istio", files, "-q", *AS_OF)

    assert "Not taken" not in result.stderr
    assert result.exit_code == 0
