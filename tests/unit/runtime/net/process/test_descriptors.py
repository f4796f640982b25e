"""How many descriptors there are, and are needed. `tests/faults` has sidecars that have too few."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.net.process.descriptors import needed, raised, shortage
from meshproof.runtime.settings_run import (
    IdentityFolder,
    InboundPort,
    OutboundPort,
    Place,
    PolicyFiles,
    RunLimits,
    RunSettings,
)

IN, OUT = InboundPort(8080, Place(), Place()), OutboundPort(NodeName("back"), 8080, Place())
SETTINGS = RunSettings(NodeName("catalog"), PolicyFiles(Path()), IdentityFolder(Path()), (IN,))
LOW = 512


@pytest.fixture
def hard() -> Iterator[int]:
    """The system lets us have so many, and we begin with few."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (LOW, most))
    yield most
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, most))


def test_each_half_has_connections_of_its_own() -> None:
    limits = RunLimits(connections=1000)
    assert needed(replace(SETTINGS, limits=limits)) == 1256
    assert needed(replace(SETTINGS, limits=limits, outbound=(OUT,))) == 2256


def test_what_is_needed_is_taken_and_no_more(hard: int) -> None:
    assert hard > LOW + 100
    assert shortage(replace(SETTINGS, limits=RunLimits(connections=LOW))) == ""
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (LOW + 256, hard)
    assert raised(LOW) == LOW + 256


def test_where_the_system_does_not_let_us_it_is_said(hard: int) -> None:
    if hard == resource.RLIM_INFINITY:
        pytest.skip("the system lets us have whatever we want")
    found = shortage(replace(SETTINGS, limits=RunLimits(connections=hard)))
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
    assert found == (
        f"a process may have {hard} descriptors, and `connections` = {hard} needs {hard + 256}: "
        "raise the limit (`ulimit -n`, `LimitNOFILE=`), or lower `connections`"
    )
