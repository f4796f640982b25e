"""What is emitted for App Mesh decides each request as the policy does, but for listed losses, which refuse more.

Two readings of the same files: what the compiler reads back, decided by the interpreter; and the template itself, by
an oracle that knows nothing of lowering or reader. Where Envoys differ on repeated headers, both kinds are asked.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from dataclasses import replace
from functools import cache
from random import Random

import pytest
from tests.strategies.app_mesh_oracle import Proxies
from tests.strategies.app_mesh_policies import OPTIONS, TARGET, Drawn, drawn
from tests.strategies.app_mesh_requests import request_to
from tests.strategies.app_mesh_worlds import worlds
from tests.strategies.meshes import DAY

from meshproof.compiler.driver.reading_back import read_back
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.decision import Decision, Reason
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.compiler.semantics.decide import decide
from meshproof.compiler.semantics.facts import facts_of
from meshproof.compiler.semantics.truth import holds

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
POLICIES = 420 if IS_FULL else 24
REQUESTS = 250 if IS_FULL else 60
_MODES = (IstioMode.BASE, IstioMode.MERGE_SLASHES, IstioMode.DECODE_AND_MERGE_SLASHES)


@pytest.mark.parametrize("seed", range(POLICIES))
def test_files_decide_as_the_policy_does(seed: int) -> None:
    counted = decided(seed)
    assert counted["decisions"] == REQUESTS
    print(f"policy {seed}: {dict(counted)}")  # noqa: T201  `-rP` shows it


def test_there_are_enough_of_all_kinds() -> None:
    assert not IS_FULL or POLICIES * REQUESTS >= 100_000
    total: Counter[str] = Counter()
    for seed in range(24):
        total.update(decided(seed))
    for kind in (
        "same, allowed",
        "same, refused",
        "stricter, as a loss says",
        "raw path",
        "at a gateway",
        "through a gate",
    ):
        assert total[kind] > 10, total


@cache
def decided(seed: int) -> Counter[str]:
    """How many requests came out how. Raises `AssertionError` for one that is let in against the policy, or is refused
    without a loss that says so.
    """
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    found = drawn(rng)
    judging = _Judging(found)
    seen: Counter[str] = Counter()
    while seen["decisions"] < REQUESTS:
        sent = request_to(rng, found.mesh)
        outcomes = judging.outcomes(sent)
        if outcomes:
            seen["decisions"] += 1
            seen.update(outcomes)
    return seen


class _Judging:
    """Both readings of one policy's files."""

    def __init__(self, found: Drawn) -> None:
        self.mesh, self.losses, self.text = found.mesh, found.lowered.losses, found.text
        files = TARGET.emit(found.lowered)
        lifted = read_back(TARGET, files, OPTIONS, found.mesh)
        assert lifted.mesh is not None
        assert not lifted.diagnostics, found.text
        self.worlds = worlds(lifted.mesh)
        (template,) = (json.loads(one.content) for one in files if b"AWS::AppMesh::" in one.content)
        self.proxies = {way: Proxies(template, found.mesh, is_joined=way) for way in (False, True)}

    def outcomes(self, sent: Request) -> set[str]:
        """What came out; nothing if nobody sends such a request."""
        own = decide(self.mesh, sent, DAY)
        by_oracle = {way: proxies.lets_in(sent) for way, proxies in self.proxies.items()}
        if None in by_oracle.values():
            return set()
        seen = {self._compared(sent, own, is_in=bool(is_in)) for is_in in by_oracle.values()}
        by_reader: dict[bool, set[bool]] = {False: set(), True: set()}
        for world in self.worlds:
            is_in = decide(world.mesh, sent, DAY).is_allowed
            by_reader[world.is_joined].add(is_in)
            seen.add(self._compared(sent, own, is_in=is_in))
        for way, answer in by_oracle.items():
            assert answer in by_reader[way], ("the oracle and the reader differ", self.text, sent, way, answer)
        if self.mesh.node(sent.destination) in self.mesh.gateways:
            seen.add("at a gateway")
        return seen | self._by_gate(sent)

    def _by_gate(self, sent: Request) -> set[str]:
        is_passed = any(proxies.is_passed_on(sent) for proxies in self.proxies.values())
        return {"through a gate"} if is_passed else set()

    def _compared(self, sent: Request, own: Decision, *, is_in: bool) -> str:
        if own.reason is Reason.PATH:
            # The policy refuses the raw path, whatever it stands for: let in, no deny may speak of any reading of it.
            if is_in:
                for one in _readings(self.mesh, sent):
                    assert one.is_allowed or one.reason is not Reason.RULE, (self.text, sent)
            return "raw path"
        if own.is_allowed == is_in:
            return "same, allowed" if is_in else "same, refused"
        assert own.is_allowed, ("looser", self.text, sent)
        if (sent.path or "").partition("?")[0] == "//":
            return "raw path"  # Envoy keeps it, and the policy reads `/`
        assert self._is_listed(sent), ("stricter without a loss", self.text, sent, self.losses)
        return "stricter, as a loss says"

    def _is_listed(self, sent: Request) -> bool:
        """Whether a loss of the node speaks of it, or for each rule that lets it in one of the rule."""
        node = self.mesh.node(sent.destination)
        if node is not None and self._is_spoken_of(str(node.name), sent):
            return True
        allowing = [
            rule.id for rule in self.mesh.rules if rule.effect is Effect.ALLOW and _lets_in(self.mesh, rule.id, sent)
        ]
        denying = [rule.id for rule in self.mesh.rules if rule.effect is Effect.DENY]
        is_all = bool(allowing) and all(self._is_spoken_of(str(name), sent) for name in allowing)
        return is_all or any(self._is_spoken_of(str(name), sent) for name in denying)

    def _is_spoken_of(self, subject: str, sent: Request) -> bool:
        facts = facts_of(self.mesh, sent, DAY)
        names = Counter(name for name, _ in sent.headers)
        return any(
            loss.subject == subject
            and holds(loss.region, facts)
            and (loss.repeated is None or names[loss.repeated] > 1)
            for loss in self.losses
        )


def _lets_in(mesh: Mesh, rule: str, sent: Request) -> bool:
    alone = tuple(one for one in mesh.rules if one.id == rule)
    return decide(replace(mesh, rules=alone), sent, DAY).is_allowed


def _readings(mesh: Mesh, sent: Request) -> list[Decision]:
    found = []
    for mode in _MODES:
        try:
            found.append(decide(mesh, replace(sent, path=istio_path(sent.path or "/", mode)), DAY))
        except PatternRefused:
            continue
    return found
