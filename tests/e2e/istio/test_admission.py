"""What istiod's admission refuses, the lift refuses, and nothing else."""

from __future__ import annotations

from random import Random

import pytest
from tests.e2e.istio.istiod import Istiod
from tests.e2e.istio.odd_policies import odd_policy
from tests.e2e.istio.scenes import SECURITY, shared
from tests.strategies.istio_lifting import read

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

COUNT = 3000


def test_admission(istiod: Istiod, draw: Random) -> None:
    cluster = shared()
    for number in range(COUNT):
        cluster.add("AuthorizationPolicy", SECURITY, "shop", f"p{number}", odd_policy(draw))
    theirs = set(map(int, istiod.push(cluster).refusals))
    verdicts = read(cluster.manifests()).verdicts
    ours = {int(one.name.removeprefix("p")) for one, verdict in verdicts.items() if verdict.refusals}
    assert COUNT // 4 < len(theirs) < COUNT
    assert [cluster.istio[number]["spec"] for number in sorted(ours ^ theirs)] == []
