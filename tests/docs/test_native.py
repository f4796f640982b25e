"""The example of docs/targets/native.md does what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

from meshproof.compiler.backend.target import CompileOptions
from meshproof.compiler.driver.policy import policy_of_texts
from meshproof.compiler.driver.reading_back import EQUAL, emitted
from meshproof.targets.native import TARGET

PAGE = Path(__file__).parents[2] / "docs/targets/native.md"
_FENCE = re.compile(r"^```(?P<kind>[a-z]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    fences = [(one["kind"], one["text"]) for one in _FENCE.finditer(PAGE.read_text(encoding="utf-8"))]
    (policy,) = [text for kind, text in fences if kind == "mesh"]
    (program,) = [text for kind, text in fences if kind == "python"]
    said = fences[-1][1]
    mesh = policy_of_texts({"shop.mesh": policy}).meshes[0]
    options = CompileOptions(date(2026, 11, 23))
    found = emitted(TARGET, TARGET.lower(mesh, options), mesh, options, 10_000)
    assert found.known == EQUAL
    (bundle,) = found.artifacts
    (tmp_path / bundle.path).write_bytes(bundle.content)

    shown = (
        program + "\nimport sys\nassert not {'z3', 'lark', 'rich', 'click', 'yaml', 'jsonschema'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", shown], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.stderr, done.stdout) == ("", said)
