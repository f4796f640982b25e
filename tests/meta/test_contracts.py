"""The import contracts bite: each breach below is refused, by the contract that is about it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # each breach reads the whole product


def _lint(place: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache", *options],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(PROJECT / "src", tmp_path / "src", symlinks=False)  # the links become folders
    (tmp_path / "tools").mkdir()
    shutil.copy(PROJECT / "tools/contracts.py", tmp_path / "tools")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_product_keeps_every_contract(copy: Path) -> None:
    done = _lint(copy)

    assert done.returncode == 0, done.stdout
    assert "kept, 0 broken." in done.stdout


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("dsl/source.py", "import meshproof.compiler.ir", "packages"),
        ("compiler/api.py", "import meshproof.targets.istio", "packages"),
        ("compiler/ir/mesh.py", "import meshproof.compiler.resolve", "compiler"),
        ("compiler/smt/__init__.py", "import meshproof.compiler.semantics", "compiler"),
        ("compiler/shiny/__init__.py", "", "compiler"),
        ("shiny/__init__.py", "", "packages"),
        ("targets/istio/__init__.py", "import meshproof.compiler.verify", "targets"),
        ("targets/istio/__init__.py", "import meshproof.dsl.loader", "targets"),
        ("runtime/__init__.py", "import meshproof.compiler.semantics", "runtime"),
        ("compiler/verify/__init__.py", "import z3", "z3"),
        ("dsl/format.py", "import lark", "lark"),
        ("compiler/driver/__init__.py", "import rich", "rich"),
        ("compiler/report/__init__.py", "import click", "click"),
        ("compiler/resolve/__init__.py", "import yaml", "yaml"),
    ],
)
def test_a_breach_is_refused(copy: Path, module: str, statement: str, contract: str) -> None:
    path = copy / "src/meshproof" / module
    path.parent.mkdir(exist_ok=True)
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{statement}\n", encoding="utf-8")

    done = _lint(copy, "--contract", contract)

    assert done.returncode == 1, done.stdout
    assert "Contracts: 0 kept, 1 broken." in done.stdout
