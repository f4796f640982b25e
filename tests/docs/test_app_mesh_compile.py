"""The example of docs/targets/app-mesh-compile.md compiles to what the page shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tests.docs.console import fences, run_shown

from meshproof.targets.appmesh.options import KNOWN, PARAMETER

PAGE = (Path(__file__).parents[2] / "docs/targets/app-mesh-compile.md").read_text(encoding="utf-8")
FENCES = dict(fences(PAGE))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.mesh").write_text(FENCES["mesh"], encoding="utf-8")
    done, said = run_shown(FENCES["console"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == said
    return tmp_path


def test_the_files_are_there_as_the_page_says(folder: Path) -> None:
    out = folder / "out"
    assert json.loads((out / "meshproof/dials.json").read_text(encoding="utf-8"))
    template = json.loads((out / "template.json").read_text(encoding="utf-8"))
    assert template["Resources"]


def test_every_option_has_a_line() -> None:
    """An option that nobody can read of is none."""
    listed = set(re.findall(r"`(app-mesh\.[a-z.-]+?)(?:NAME)?(?:=[^`]*)?`", PAGE.partition("## Options\n")[2]))
    assert {*KNOWN, PARAMETER} == listed
