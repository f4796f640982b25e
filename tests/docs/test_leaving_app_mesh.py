"""The way out of App Mesh that docs/targets/leaving-app-mesh.md shows, gone with the sample that it names."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.docs.console import fences, run_shown

pytestmark = [pytest.mark.corpus]

FENCES = fences((Path(__file__).parents[2] / "docs/targets/leaving-app-mesh.md").read_text(encoding="utf-8"))
SAMPLE = "argo-rollouts/files/examples/appmesh/canary-service.yaml"


def test_every_command_prints_what_the_page_says(corpus: Path, tmp_path: Path) -> None:
    (policy,) = [text for kind, text in FENCES if kind == "mesh"]
    (tmp_path / "after.mesh").write_text(policy, encoding="utf-8")
    shutil.copy(corpus / SAMPLE, tmp_path)
    shown = [text for kind, text in FENCES if kind == "console"]
    assert len(shown) == 4
    for text in shown:  # in order: the last one reads what the one before wrote
        done, said = run_shown(text, tmp_path)
        assert (done.returncode, done.stdout) == (0, said), done.stderr
