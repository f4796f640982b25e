"""What the tests of real sidecars share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.traffic import Sender
from tests.e2e.sidecar.hall import open_hall
from tests.e2e.sidecar.standing import World
from tests.e2e.sidecar.svids import Svids


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """An authority, the keys of issuers, and the applications."""
    with open_hall() as hall:
        yield World(Svids(Path(tmp_path_factory.mktemp("svids")), "mesh"), Mint(), hall)


@pytest.fixture(scope="session")
def caller(world: World) -> Sender:
    """Who sends the requests."""
    return Sender(world.svids, world.mint)
