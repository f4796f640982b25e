"""The number in the header is what tests draw from."""

from __future__ import annotations

import hypothesis
import pytest


def test_order_and_examples_come_from_one_number(pytestconfig: pytest.Config) -> None:
    seed = pytestconfig.getoption("randomly_seed")

    assert isinstance(seed, int)
    assert str(seed) == pytestconfig.getoption("hypothesis_seed")
    assert hypothesis.core.global_force_seed == seed
