from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from tests.unit.targets.appmesh.closed import meshes

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
