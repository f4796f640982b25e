"""What to know when one reads a difference."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.mesh import PathMode
from meshproof.compiler.verify.correspondence import by_place
from meshproof.compiler.verify.semantic_diff_ports import Sides
from meshproof.compiler.verify.semantic_diff_rest import notes_of

DAY = date(2026, 11, 26)
MESH = mesh_of("service a { port http 80 }")


def test_how_foreign_files_judge_paths_is_said_of_the_proxy_that_does() -> None:
    """Istio is one of the platforms whose files are read, and App Mesh another: Envoy judges for both."""
    foreign = replace(MESH, paths=PathMode.MERGE_SLASHES)
    (note,) = notes_of(Sides(foreign, MESH, DAY, by_place(foreign, MESH), audits=False))
    assert note.startswith("the old side judges paths as Envoy does")
    assert notes_of(Sides(MESH, MESH, DAY, by_place(MESH, MESH), audits=False)) == ()
