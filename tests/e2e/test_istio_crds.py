"""The schemas that the package carries are what Istio's module gives."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("go") is None, reason="needs Go, which fetches the module")
def test_the_committed_schemas_are_those_of_the_noted_version() -> None:
    command = [sys.executable, "tools/istio_crds.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
