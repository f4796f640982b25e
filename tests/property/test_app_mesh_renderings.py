"""Random policies in all three renderings of App Mesh: each is proved, and each says all that the others say."""

from __future__ import annotations

import os
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.app_mesh_policies import OPTIONS, TARGET, drawn

from meshproof.compiler.backend.artifact import Artifact
from meshproof.compiler.backend.target import has_errors
from meshproof.compiler.driver.reading_back import judgement, read_back
from meshproof.targets.appmesh.lift.selected import selected
from meshproof.targets.appmesh.lower.lower import AppMeshLowered
from meshproof.targets.appmesh.options import Rendering
from meshproof.targets.appmesh.references import key_of
from meshproof.targets.appmesh.values import Value

SEEDS = 420 if os.environ.get("MESHPROOF_SAMPLES") == "full" else 12


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_rendering_of_a_policy_is_proved_and_says_all_of_it(seed: int) -> None:
    found = drawn(Random(seed))  # noqa: S311  reproducible on purpose
    lowered: dict[Rendering, AppMeshLowered] = {}
    values: dict[Rendering, tuple[Value, ...]] = {}
    verdicts = set()
    for rendering in Rendering:
        settings = (*OPTIONS.settings, ("app-mesh.rendering", str(rendering)))
        options = replace(OPTIONS, settings=settings)
        lowered[rendering] = TARGET.lower(found.mesh, options)
        assert not has_errors(lowered[rendering].diagnostics)
        files = TARGET.emit(lowered[rendering])
        values[rendering] = _read(files, lowered[rendering])
        lifted = read_back(TARGET, files, options, found.mesh)
        assert lifted.mesh is not None, found.text
        judged = judgement(found.mesh, lifted, lowered[rendering].losses, options.day)
        assert judged.is_sound, (found.text, judged)
        verdicts.add(judged.verdict)
    assert len(verdicts) == 1, found.text
    for one, read in values.items():
        for other, own in lowered.items():
            assert TARGET.emit(replace(own, resources=read)) == TARGET.emit(own), (found.text, one, other)


def _read(files: tuple[Artifact, ...], lowered: AppMeshLowered) -> tuple[Value, ...]:
    """The resources that stand in the files, in the order of the lowering; nothing else stands there."""
    own = tuple(one for one in files if not one.path.startswith("meshproof/"))
    found = selected(own, ())
    assert not found.diagnostics, [one.message for one in found.diagnostics]
    named = {key_of(one.value): one.value for one in found.resources.every}
    assert named.keys() == {key_of(one) for one in lowered.resources}
    return tuple(named[key_of(one)] for one in lowered.resources)
