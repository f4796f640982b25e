"""The collector is paused meanwhile, and put back as it was, whatever happens."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from meshproof.compiler.driver.collecting import uncollected


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    was_enabled = gc.isenabled()
    yield
    (gc.enable if was_enabled else gc.disable)()


@pytest.mark.parametrize("is_enabled", [True, False])
def test_it_is_as_it_was_afterwards(is_enabled: bool) -> None:
    (gc.enable if is_enabled else gc.disable)()
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled() == is_enabled


def test_it_is_put_back_after_an_interruption() -> None:
    gc.enable()
    with pytest.raises(KeyboardInterrupt), uncollected():
        raise KeyboardInterrupt
    assert gc.isenabled()
