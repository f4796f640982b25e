"""What the tests against istiod's own code share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from tests.e2e.istio.istiod import Istiod, program, running, why_not


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program that computes what istiod would push."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    return program(Path(tmp_path_factory.mktemp("istiod")))


@pytest.fixture(scope="session")
def istiod(built: Path) -> Iterator[Istiod]:
    """The program with the flags that istiod has by default."""
    with running(built) as found:
        yield found


@pytest.fixture
def draw(request: pytest.FixtureRequest) -> Random:
    """Chance, from the seed that the header prints."""
    return Random(f"{request.config.getoption('randomly_seed')} {request.node.name}")  # noqa: S311  no secret
