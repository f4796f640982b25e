"""Whole policies and their meaning: `resolve/NAME/in.mesh` → `ir.json`, a mesh for each environment, without places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from meshproof.compiler.ir.codecs import codec_of
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.serde import dump, load
from meshproof.compiler.resolve import Resolution, resolve
from meshproof.dsl.diagnostic import Severity
from meshproof.dsl.parser import parse
from meshproof.dsl.source import SourceFile

CASES = sorted((Path(__file__).parent / "resolve").iterdir())


def resolved(folder: Path) -> Resolution:
    parsed = parse(SourceFile("in.mesh", (folder / "in.mesh").read_text(encoding="utf-8")))
    assert parsed.is_sound, [found.message for found in parsed.diagnostics]
    return resolve([parsed.document])


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_ir(folder: Path, *, update_golden: bool) -> None:
    resolution = resolved(folder)
    assert [one.message for one in resolution.diagnostics if one.severity is Severity.ERROR] == []
    codec = codec_of(Mesh, has_origins=False)
    found = json.dumps([codec.write(mesh) for mesh in resolution.meshes], indent=1, ensure_ascii=False) + "\n"
    golden = folder / "ir.json"
    if update_golden:
        golden.write_text(found, encoding="utf-8")

    assert found == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
def test_every_mesh_survives_canonical_json_with_its_places(folder: Path) -> None:
    for mesh in resolved(folder).meshes:
        assert load(dump(mesh)) == mesh
