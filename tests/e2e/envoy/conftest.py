"""The tests against the real Envoy need the extra `oracles`; without it each file says that it was skipped."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

MISSING = [name for name in ("cryptography", "jwt") if find_spec(name) is None]

if not MISSING:
    from tests.e2e.envoy.fixtures import authority, fleet, ground, mint, sender, stage

    __all__ = ["authority", "fleet", "ground", "mint", "sender", "stage"]


class Unread(pytest.Module):
    """A file that is not imported, since what it imports is not there."""

    def collect(self) -> NoReturn:
        """Skip the file, visibly."""
        pytest.skip(f"needs {' and '.join(MISSING)} of the extra `oracles`", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> Unread | None:
    """Import the files of this folder only where everything that they need is installed."""
    return Unread.from_parent(parent, path=module_path) if MISSING else None
