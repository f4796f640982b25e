"""Random policies, kept by the real Envoy (RBAC, as istiod renders what we compile) and by our sidecars: each request
goes to both, and both do what the policy says.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
from tests.e2e.envoy.ground import Ground
from tests.e2e.envoy.judging import KNOWN_METHODS
from tests.e2e.envoy.meshes import Fleet, on_loopback
from tests.e2e.envoy.stage import DAY, Play, Stage, compilable
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.traffic import Sender
from tests.e2e.sidecar.hall import open_hall
from tests.e2e.sidecar.judging import Judge, drawn
from tests.e2e.sidecar.standing import World, standing
from tests.e2e.sidecar.svids import Svids
from tests.strategies.meshes import random_mesh

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.bundle import enforced
from meshproof.compiler.ir.decision import Reason
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.semantics.decide import decide
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import UnsupportedPolicyError
from meshproof.runtime.net import sidecar

pytestmark = pytest.mark.e2e

MESHES, REQUESTS = (200, 60) if os.environ.get("MESHPROOF_SAMPLES") == "full" else (50, 70)


def _played(stage: Stage, seed: int) -> tuple[Play, Engine] | None:
    mesh = on_loopback(random_mesh(Random(f"beside {seed}")))  # noqa: S311  reproducible on purpose
    mesh = replace(mesh, rules=tuple(rule for rule in mesh.rules if rule.effect is not Effect.ASK))
    found = compilable(mesh)
    if found is None:
        return None
    try:
        return stage.add(*found), Engine(enforced(found[0]))
    except UnsupportedPolicyError:
        return None


def _is_for_both(mesh: Mesh, request: Request) -> bool:
    """Gateways differ: Envoys end the TLS of the outside there. Methods that nobody knows neither takes."""
    is_readable = request.protocol is RequestProtocol.TCP or request.method in KNOWN_METHODS
    return is_readable and not isinstance(mesh.node(request.destination), Gateway)


def _may_differ(play: Play, request: Request) -> bool:
    """Envoy makes some raw paths normal that the language refuses (`Stage` judges those), and it ends handshakes of
    strangers by itself, observed or not.
    """
    says = decide(play.mesh, request, DAY)
    return says.reason is Reason.PATH or (says.is_observed and says.reason is Reason.TRANSPORT)


def test_envoy_and_sidecars_do_the_same(
    ground: Ground, mint: Mint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sidecar, "_today", lambda: DAY)
    svids = Svids(tmp_path, "mesh")
    sender = Sender(svids, mint)
    stage, judge, seed = Stage(Fleet(svids, mint, ground), sender), Judge(sender, DAY), 0
    plays: list[tuple[Play, Engine]] = []
    while len(plays) < MESHES:
        seed += 1
        found = _played(stage, seed)
        if found is not None:
            plays.append(found)
    with ExitStack() as stack:
        stack.enter_context(stage.open(tmp_path))
        world = World(svids, mint, stack.enter_context(open_hall()))
        for play, engine in plays:
            with standing(play.mesh, world) as places:
                for request in drawn(play.mesh, f"beside {play.number}", REQUESTS, partial(_is_for_both, play.mesh)):
                    by_envoy = stage.send(play, request)
                    by_sidecar = judge.send(play.mesh, engine, places, request)
                    if by_envoy is not None:
                        same = (by_envoy.status == 200) is (by_sidecar.status == 200)
                        judge.counts["the same as Envoy" if same else "not as Envoy"] += 1
                        if not same and not _may_differ(play, request):
                            judge.wrong.append(f"Envoy {by_envoy.status}, we {by_sidecar.status}: {request}")
    print(dict(sorted(judge.counts.items())), dict(sorted(stage.counts.items())))  # noqa: T201  docs/targets/native-oracle.md
    assert not judge.wrong, f"{len(judge.wrong)} of {judge.counts['sent']}\n" + "\n".join(judge.wrong[:20])
    assert judge.counts["the same as Envoy"] > MESHES * REQUESTS // 3
