"""Policies compiled for App Mesh on the real Envoy: every answer is as its files are read and as the policy says, and
what the residual list calls a way round is one.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from tests.e2e.envoy.app_mesh_emitted import TARGET, Emitted, compilable, emitted, options
from tests.e2e.envoy.app_mesh_judging import Judging
from tests.e2e.envoy.app_mesh_proxies import bootstrap
from tests.e2e.envoy.app_mesh_requests import drawn
from tests.e2e.envoy.app_mesh_shop import SHOP
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.ground import Ground
from tests.e2e.envoy.process import running
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.traffic import Sender
from tests.strategies.meshes import random_mesh
from tests.strategies.policy_text import mesh_of
from tests.unit.policies.test_examples import boutique

from meshproof.compiler.ir.entities import Gateway

pytestmark = pytest.mark.e2e

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
MESHES, REQUESTS = (80, 60) if IS_FULL else (15, 25)
SHOPS = ("shop", "boutique")
FIRST = 200
"""The numbers before are those of `test_app_mesh`."""


def _on_air(ground: Ground, authority: Authority) -> list[Emitted]:
    shop = mesh_of(SHOP, has_mesh=True)
    shops = (shop, *map(boutique, ("dev", "test", "prod") if IS_FULL else ("dev",)))
    found = [
        emitted(one, TARGET.lower(one, options()), (ground, FIRST + at), authority) for at, one in enumerate(shops)
    ]
    seed = 0
    while len(found) < len(shops) + MESHES:
        seed += 1
        made = compilable(random_mesh(Random(f"emitted {seed}")))  # noqa: S311  reproducible on purpose
        if made is not None and (made[1].gates or made[0].gateways):
            found.append(emitted(*made, (ground, FIRST + len(found)), authority))
    return found


@pytest.fixture
def judging(sender: Sender, mint: Mint, tmp_path: Path) -> Judging:
    return Judging(sender, Sender(Authority(tmp_path, "others"), mint))


def test_envoy_does_what_the_policy_says(
    ground: Ground, authority: Authority, judging: Judging, tmp_path: Path
) -> None:
    every = _on_air(ground, authority)
    with running(bootstrap(each.proxies for each in every), tmp_path):
        for number, each in enumerate(every):
            rng = Random(f"requests {number}")  # noqa: S311  reproducible on purpose
            for turn in range(12 * REQUESTS if each.mesh.name in SHOPS else REQUESTS):
                request, port = drawn(rng, each)
                node = each.mesh.node(request.destination)
                if isinstance(node, Gateway):
                    judging.outside(each, node, port, request)
                else:
                    judging.inside(each, request)
                    if turn % 5 == 0:
                        judging.forged(each, request)
    print(dict(sorted(judging.counts.items())))  # noqa: T201  docs/targets/app-mesh.md
    assert not judging.wrong, f"{len(judging.wrong)}\n" + "\n".join(judging.wrong[:10])
    assert judging.counts["sent"] > (20000 if IS_FULL else 3000)
    for outcome in ("allowed, through", "refused, refused", "forged"):
        assert judging.counts[outcome] > 100, judging.counts
    for outcome in ("outside, through", "outside, refused", "as a gateway, through", "as a gateway, refused"):
        assert judging.counts[outcome] > 10, judging.counts
