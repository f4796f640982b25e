"""Our rules in the real cfn-lint: every seeded error with its line, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.targets.appmesh.seeded import CLEAN, TEMPLATE, seeded

from meshproof.targets.appmesh.residue.security_groups import security_groups, template
from meshproof.targets.appmesh.residue.workloads import Kind, Opening, Workload

pytestmark = pytest.mark.oracle

RULES = "meshproof.targets.appmesh.cfnlint"


def _lint(text: str, directory: Path, *options: str) -> list[tuple[int, str, str]]:
    """What the command finds: line, rule and message; App Mesh's end (W3696) is left out."""
    pytest.importorskip("cfnlint", reason="cfn-lint, of the extra `oracles`, is not installed")
    (directory / "template.yaml").write_text(text, encoding="utf-8")
    program = str(Path(sys.executable).with_name("cfn-lint"))
    arguments = ["--format", "json", "-r", "us-east-1", "-a", RULES, *options, "--", "template.yaml"]
    done = subprocess.run([program, *arguments], cwd=directory, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found = [
        (one["Location"]["Start"]["LineNumber"], one["Rule"]["Id"], one["Message"]) for one in json.loads(done.stdout)
    ]
    return [one for one in found if one[1] != "W3696"]


def test_every_seeded_error_is_found_in_its_line_and_nothing_else(tmp_path: Path) -> None:
    found = [one for one in _lint(TEMPLATE, tmp_path) if one[1].startswith("E96")]

    assert sorted((line, rule) for line, rule, _ in found) == sorted((line, rule) for line, rule, _ in seeded())
    for line, rule, part in seeded():
        assert any((line, rule) == one[:2] and part in one[2] for one in found), (line, part, found)


def test_nothing_is_found_in_what_a_deployment_may_make_right(tmp_path: Path) -> None:
    assert [one for one in _lint(CLEAN, tmp_path) if one[1].startswith("E")] == []


def test_quotas_can_be_raised(tmp_path: Path) -> None:
    spec = {"Listeners": [{"PortMapping": {"Port": 80, "Protocol": "http"}}]}
    gateways = {
        f"G{index}": {
            "Type": "AWS::AppMesh::VirtualGateway",
            "Properties": {"MeshName": "shop", "VirtualGatewayName": f"g{index}", "Spec": spec},
        }
        for index in range(4)
    }
    text = json.dumps({"Resources": gateways})

    ((line, rule, said),) = _lint(text, tmp_path)
    assert (line, rule, said) == (1, "E9605", "it has 4 virtual gateways, and 3 are given")
    assert _lint(text, tmp_path, "-x", "E9605:virtual_gateways=4") == []


def test_security_groups_are_such_as_cloudformation_takes(tmp_path: Path) -> None:
    """Groups that name each other, and one for everybody."""
    identities = [f"spiffe://td/{name}" for name in "abc"]
    openings = (Opening(80, frozenset(identities)), Opening(81, None))
    workloads = [Workload(Kind.SERVICE, one[-1], "app", (("app", one[-1]),), one, openings) for one in identities]
    assert _lint(json.dumps(template(security_groups(workloads), "groups")), tmp_path) == []
