"""Random policies, kept by real sidecars over real sockets: they do what the interpreter and the engine say."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random

import pytest
from tests.e2e.envoy.meshes import on_loopback
from tests.e2e.envoy.traffic import Sender
from tests.e2e.sidecar.judging import Judge, drawn
from tests.e2e.sidecar.standing import World, running, standing
from tests.strategies.meshes import random_mesh

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.bundle import enforced
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics.decide import decide
from meshproof.runtime.engine.engine import Engine
from meshproof.runtime.engine.errors import UnsupportedPolicyError
from meshproof.runtime.net import sidecar

pytestmark = pytest.mark.slow

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
MESHES, REQUESTS = (200, 60) if IS_FULL else (50, 60)
PROCESSES, OF_EACH = (12, 60) if IS_FULL else (3, 60)
DAY = date(2026, 11, 23)
LONG_AGO = date(2020, 1, 1)


def played(seed: str) -> tuple[Mesh, Engine] | None:
    """A policy whose callers come from loopback, and that asks nobody; None where that is none that can be kept."""
    mesh = on_loopback(random_mesh(Random(seed)))  # noqa: S311  reproducible on purpose
    rules = tuple(rule for rule in mesh.rules if rule.effect is not Effect.ASK)
    gateways = tuple(replace(gateway, trusted_proxies=0) for gateway in mesh.gateways)  # what they hide is refused
    mesh = replace(mesh, rules=rules, gateways=gateways)
    try:
        return mesh, Engine(enforced(mesh))
    except UnsupportedPolicyError:
        return None


def lets_some_through(mesh: Mesh, requests: list[Request], day: date) -> bool:
    """Whether there is more to see than refusals."""
    return sum(decide(mesh, request, day).is_allowed for request in requests) * 10 >= len(requests)


def test_sidecars_do_what_the_policy_says(world: World, caller: Sender, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecar, "_today", lambda: DAY)
    judge, number, made = Judge(caller, DAY), 0, 0
    while made < MESHES:
        number += 1
        found = played(f"sidecar {number}")
        if found is None:
            continue
        made += 1
        with standing(found[0], world) as places:
            for request in drawn(found[0], f"requests {number}", REQUESTS):
                judge.send(*found, places, request)
    _assert_right(judge, MESHES * REQUESTS * 9 // 10)


def test_what_run_starts_does_what_the_policy_says(world: World, caller: Sender, tmp_path: Path) -> None:
    judge, number, made = Judge(caller, DAY), 0, 0
    while made < PROCESSES:
        number += 1
        found = played(f"process {number}")
        requests = [] if found is None else drawn(found[0], f"requests {number}", OF_EACH)
        if (
            found is None
            or not lets_some_through(found[0], requests, DAY)
            or found[1].holds_until(LONG_AGO) is not None
        ):
            continue  # a program goes by the clock of the machine, so what it decides must be the same on every day
        made += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        with running(found[0], world, folder) as places:
            for request in requests:
                judge.send(*found, places, request)
    _assert_right(judge, PROCESSES * OF_EACH * 9 // 10)


def _assert_right(judge: Judge, least: int) -> None:
    print(dict(sorted(judge.counts.items())))  # noqa: T201  the table of docs/targets/native-oracle.md
    assert not judge.wrong, f"{len(judge.wrong)} of {judge.counts['sent']}\n" + "\n".join(judge.wrong[:20])
    assert judge.counts["sent"] >= least
    assert judge.counts["rule allowed"] + judge.counts["default allowed"] > least // 20
