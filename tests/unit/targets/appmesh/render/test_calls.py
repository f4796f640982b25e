from __future__ import annotations

import json
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.targets.appmesh.closed import SHAPES, meshes, plain

from meshproof.compiler.backend.artifact import Artifact
from meshproof.targets.appmesh.lift.documents import read_files
from meshproof.targets.appmesh.references import key_of, needed
from meshproof.targets.appmesh.render.calls import calls
from meshproof.targets.appmesh.values import Value


@given(meshes(), st.randoms(use_true_random=False))
def test_what_is_needed_is_made_before_in_whatever_order_it_is_given(
    resources: tuple[Value, ...], chance: Random
) -> None:
    mixed = list(resources)
    chance.shuffle(mixed)
    found = calls(mixed)

    files = tuple(Artifact(f"{index}.json", json.dumps(one.given).encode()) for index, one in enumerate(found))
    read = [read_files((file,), {}).resources.every for file in files]
    made = [one.value for each in read for one in each]
    assert sorted(map(key_of, made)) == sorted(map(key_of, resources))
    assert {key_of(one): one for one in made} == {key_of(one): one for one in resources}
    for index, one in enumerate(made):
        assert set(needed(one)) <= set(map(key_of, made[:index]))
        assert found[index].operation == f"Create{type(one).__name__}"


def test_the_order_is_kept_where_nothing_is_needed() -> None:
    resources = [plain(index) for index in range(len(SHAPES))]
    operations = [one.operation for one in calls(resources)]

    assert operations[:3] == ["CreateMesh", "CreateVirtualNode", "CreateVirtualNode"]
    assert operations == [one.operation for one in calls(resources)]
