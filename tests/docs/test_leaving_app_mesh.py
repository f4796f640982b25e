"""The way out of App Mesh that docs/targets/leaving-app-mesh.md shows, gone with the sample that it names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.corpus]

PAGE = (Path(__file__).parents[2] / "docs/targets/leaving-app-mesh.md").read_text(encoding="utf-8")
SAMPLE = "argo-rollouts/files/examples/appmesh/canary-service.yaml"
_FENCE = re.compile(r"^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_command_prints_what_the_page_says(corpus: Path, tmp_path: Path) -> None:
    fences = [(one["kind"], one["text"]) for one in _FENCE.finditer(PAGE)]
    (policy,) = [text for kind, text in fences if kind == "mesh"]
    (tmp_path / "after.mesh").write_text(policy, encoding="utf-8")
    shutil.copy(corpus / SAMPLE, tmp_path)
    shown = [text for kind, text in fences if kind == "console"]
    assert len(shown) == 4
    for text in shown:  # in order: the last one reads what the one before wrote
        command, _, said = text.partition("\n")
        assert _run(command.removeprefix("$ meshproof ").split(), tmp_path) == (0, said)


def _run(arguments: list[str], where: Path) -> tuple[int, str]:
    without_width = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "meshproof", *arguments],
        cwd=where,
        env=without_width,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout
