"""The files: each rendering is read back as the resources that were lowered."""

from __future__ import annotations

import json

import pytest
from tests.unit.targets.appmesh.lower.lowering import sound

from meshproof.targets.appmesh.emit import BESIDE, RESIDUALS, emit
from meshproof.targets.appmesh.lift.documents import read_files

POLICY = """
service a {}
service b { port http 80 -> 8080  versions v1, v2 }
service c { port tcp 90 }
allow x: a -> { b, c }
route b:http {
  when header["x-canary"] == "true" => v2
  otherwise => v1 95%, v2 5%
}
"""


@pytest.mark.parametrize("rendering", ["cloudformation", "api", "kubernetes"])
def test_what_is_written_is_what_is_read(rendering: str) -> None:
    """Each resource once, and the same bytes each time."""
    settings = {"app-mesh.rendering": rendering}
    lowered = sound(POLICY, settings)
    files = emit(lowered)
    assert files == emit(sound(POLICY, settings))
    assert [one.path for one in files] == sorted(one.path for one in files)
    found = read_files(tuple(one for one in files if one.path not in BESIDE), {})
    assert not found.diagnostics
    assert {one.value for one in found.resources.every} == set(lowered.resources)


def test_residuals_are_written_beside_the_resources() -> None:
    """What App Mesh does not enforce, with the names that it is about."""
    (file,) = [one for one in emit(sound(POLICY)) if one.path == RESIDUALS]
    told = json.loads(file.content)
    assert {"R2", "R6", "R7", "R8", "R11"} == {one["code"] for one in told}
