from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from tests.unit.targets.appmesh.closed import SHAPES, meshes, plain

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.appmesh.lift.documents import read_files
from meshproof.targets.appmesh.references import key_of, needed
from meshproof.targets.appmesh.render.cloudformation import template
from meshproof.targets.appmesh.values import Value


@given(meshes())
def test_what_a_template_says_is_read_back(resources: tuple[Value, ...]) -> None:
    content = json.dumps(template(resources)).encode()
    found = read_files((Artifact("mesh.json", content),), {}).resources

    assert {key_of(one.value): one.value for one in found.every} == {key_of(one): one for one in resources}


@given(meshes())
def test_what_is_needed_comes_first_and_nothing_needs_itself(resources: tuple[Value, ...]) -> None:
    made: Any = template(resources)
    declared = made["Resources"]
    assert len(declared) == len(resources)
    assert all(re.fullmatch("[A-Za-z0-9]{1,255}", name) for name in declared)
    logical = dict(zip(map(key_of, resources), declared, strict=True))
    for one in resources:
        after = declared[logical[key_of(one)]].get("DependsOn", [])
        assert after == sorted({logical[key] for key in needed(one)})
    done: set[str] = set()
    while ready := {name for name, one in declared.items() if set(one.get("DependsOn", ())) <= done} - done:
        done |= ready
    assert done == set(declared)


@pytest.mark.oracle
def test_cfn_lint_finds_nothing_but_the_end_of_app_mesh(tmp_path: Path) -> None:
    (tmp_path / "mesh.json").write_text(json.dumps(template([plain(index) for index in range(len(SHAPES))])))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--format", "json", "mesh.json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    found = [one["Rule"]["Id"] for one in json.loads(done.stdout)]
    assert found == ["W3696"] * len(SHAPES)
