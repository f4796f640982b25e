"""The example of docs/targets/app-mesh.md does what the page says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.docs.console import done_as_shown, fences

FENCES = fences((Path(__file__).parents[2] / "docs/targets/app-mesh.md").read_text(encoding="utf-8"))
SHOWN = [text for kind, text in FENCES if kind == "console"]


@pytest.mark.parametrize("shown", SHOWN, ids=[text.splitlines()[0] for text in SHOWN])
def test_the_example_prints_what_the_page_says(shown: str, tmp_path: Path) -> None:
    for kind, name in (("yaml", "shop.yaml"), ("mesh", "shop.mesh")):
        (text,) = [text for found, text in FENCES if found == kind]
        (tmp_path / name).write_text(text, encoding="utf-8")
    done, said = done_as_shown(shown, tmp_path)
    assert done == said
