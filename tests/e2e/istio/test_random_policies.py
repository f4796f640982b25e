"""Random policies: what istiod would push decides about every request as the lifted mesh does."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from tests.e2e.istio.asking import requests_to
from tests.e2e.istio.comparing import Comparison
from tests.e2e.istio.istiod import Istiod, running
from tests.e2e.istio.scenes import random_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

WORKLOADS, EACH = 40, 80
MANY = "PILOT_ENABLE_MULTIPLE_CUSTOM_AUTHZ_PROVIDERS"


@pytest.mark.parametrize("number", range(8))
def test_sidecars(istiod: Istiod, draw: Random, number: int) -> None:
    """Each number is a draw of its own."""
    draw.seed(f"{draw.random()} {number}")
    cluster = random_cluster(draw, WORKLOADS)
    found = Comparison()
    found.compare(cluster, istiod.push(cluster), requests_to(draw, cluster, each=EACH))
    assert found.fault(at_least=WORKLOADS * EACH // 2, rarely=0.02) is None


def test_several_authorizers(built: Path, draw: Random) -> None:
    """With the flag each of them is asked, and all must say yes."""
    found = Comparison()
    with running(built, **{MANY: "true"}) as istiod:
        for _ in range(3):
            cluster = random_cluster(draw, WORKLOADS, actions=("CUSTOM", "CUSTOM", "CUSTOM", "ALLOW", "DENY"))
            asked = requests_to(draw, cluster, each=EACH)
            found.compare(cluster, istiod.push(cluster), asked, custom_providers="many")
    assert found.fault(at_least=WORKLOADS * EACH) is None
