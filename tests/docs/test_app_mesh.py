"""The example of docs/targets/app-mesh.md does what the page says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs/targets/app-mesh.md").read_text(encoding="utf-8")
_FENCE = re.compile(r"^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
FENCES = [(one["kind"], one["text"]) for one in _FENCE.finditer(PAGE)]
SHOWN = [text for kind, text in FENCES if kind == "console"]


@pytest.mark.parametrize("shown", SHOWN, ids=[text.splitlines()[0] for text in SHOWN])
def test_the_example_prints_what_the_page_says(shown: str, tmp_path: Path) -> None:
    for kind, name in (("yaml", "shop.yaml"), ("mesh", "shop.mesh")):
        (text,) = [text for found, text in FENCES if found == kind]
        (tmp_path / name).write_text(text, encoding="utf-8")
    command, _, said = shown.partition("\n")
    arguments = command.removeprefix("$ meshproof ").split()
    without_width = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    done = subprocess.run(
        [sys.executable, "-m", "meshproof", *arguments],
        cwd=tmp_path,
        env=without_width,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, said), done.stderr
