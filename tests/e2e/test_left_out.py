from __future__ import annotations

import pytest
from tests.e2e.packages import missing_packages

pytestmark = pytest.mark.e2e


def test_nothing_is_left_out() -> None:
    missing = missing_packages()
    if missing:
        pytest.skip(
            f"the tests against Envoy are left out: {', '.join(missing)} of the extra `oracles` is not installed"
        )

    assert missing == ()
