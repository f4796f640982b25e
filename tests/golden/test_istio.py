"""Policies and the files that they become for Istio. `--update-golden` writes what comes out; read the diff."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.target import CompileOptions
from meshproof.targets.istio import TARGET

CASES = sorted(path.parent for path in (Path(__file__).parent / "istio").glob("*/in.mesh"))
OPTIONS = CompileOptions(
    day=date(2026, 11, 23),
    settings=(("istio.path-normalization", "DECODE_AND_MERGE_SLASHES"),),
    source_hash="0" * 64,
)


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_files(folder: Path, *, update_golden: bool) -> None:
    lowered = TARGET.lower(mesh_of((folder / "in.mesh").read_text("utf-8"), has_mesh=True), OPTIONS)
    found = {one.path: one.content for one in TARGET.emit(lowered)}
    said = [f"{one.code} {one.severity}: {one.message}\n" for one in lowered.diagnostics]
    found["diagnostics.txt"] = "".join(said).encode()
    expected = folder / "expected"
    if update_golden:
        for path in sorted(expected.rglob("*.*")):
            path.unlink()
        for name, content in found.items():
            (expected / name).parent.mkdir(parents=True, exist_ok=True)
            (expected / name).write_bytes(content)
    there = {path.relative_to(expected).as_posix(): path.read_bytes() for path in expected.rglob("*.*")}
    assert found == there
