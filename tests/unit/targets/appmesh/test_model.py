"""The values in the package are what the service model gives."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[4]


@pytest.mark.oracle
def test_the_committed_model_is_that_of_botocore() -> None:
    pytest.importorskip("botocore", reason="botocore, of the extra `oracles`, is not installed")
    done = subprocess.run(
        [sys.executable, "tools/appmesh_model.py", "--check"], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
