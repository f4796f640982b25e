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
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.ground import Ground
from tests.e2e.envoy.process import running
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.traffic import Sender
from tests.strategies.meshes import random_mesh
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.entities import Gateway

pytestmark = pytest.mark.e2e

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
MESHES, REQUESTS = (80, 60) if IS_FULL else (15, 25)
FIRST = 200
"""The numbers before are those of `test_app_mesh`."""

SHOP = """mesh shop { language 1  trust-domain "td"  namespace app  egress closed }
service web { port http 8080 }
service mobile {}
service batch {}
service ops {}
service pay { port http 80 -> 9000  port admin http 9100  versions v1, v2 }
service ledger { port grpc 9000 }
service db { port tcp 5432 }
service legacy { port http 7000 }
gateway edge {
    namespace app  account edge
    hosts "shop.example", "*.api.example"
    port https 443 -> 8443
    certificate "edge-tls"
}
mtls disabled for legacy:http { because "moving in" until 2027-01-31 }
allow public: internet -> edge
allow storefront: edge -> web {
    GET|HEAD /shop/**
    POST     /cart
}
allow api: edge -> pay:http { GET /v1/{id} }
allow charges: web -> pay:http {
    GET  /v1/**
    POST /charge
}
allow app: mobile -> pay:http {
    GET /v1/{id}
    when header["x-app"] == "2" or query["beta"] == "1"
}
allow nightly: batch -> pay:http
deny secrets: anyone -> pay:http { GET /v1/secret/** }
allow care: ops -> pay:admin
allow reads: web -> ledger { call bank.Ledger/Read }
allow books: batch -> ledger
allow stores: pay -> db
allow old: anyone -> legacy { because "moving in" until 2027-01-31 }
route edge {
    host "shop.example" /**   => web:http
    host "*.api.example" /**  => pay:http
}
route pay:http {
    when header["x-canary"] == "1" => v2
    otherwise => v1 100%
}
"""


def _on_air(ground: Ground, authority: Authority) -> list[Emitted]:
    shop = mesh_of(SHOP, has_mesh=True)
    found = [emitted(shop, TARGET.lower(shop, options()), (ground, FIRST), authority)]
    seed = 0
    while len(found) <= MESHES:
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
            for turn in range(REQUESTS if number else 20 * REQUESTS):
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
