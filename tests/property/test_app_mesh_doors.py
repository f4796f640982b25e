"""What the routes of a door let through is what the policy allows; what they refuse more is listed."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date

import pytest
from tests.strategies.app_mesh_doors import CALLER, lets_through, policy, request
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics.decide import decide
from meshproof.compiler.semantics.facts import facts_of
from meshproof.compiler.semantics.normalize_path import NormalPath, normalize
from meshproof.compiler.semantics.truth import holds
from meshproof.targets.appmesh.lower.door_routes import door_routes
from meshproof.targets.appmesh.lower.rows import rows

DAY = date(2026, 11, 26)
POLICIES = 30
REQUESTS = 60


@pytest.mark.parametrize("seed", range(4))
def test_a_door_is_never_looser_and_its_losses_are_listed(seed: int) -> None:
    dice = random.Random(seed)  # noqa: S311  no secret, and the same every time
    seen: Counter[str] = Counter()
    for _ in range(POLICIES):
        text = policy(dice)
        mesh = mesh_of(text)
        (row,) = rows(mesh, DAY)
        mine = next(one for identity, one in row.known if identity.uri == CALLER)
        if not mine.is_some:
            seen["not some"] += 1
            continue
        found = door_routes(mine)
        seen["problem" if found.problems else "routed"] += 1
        if found.problems:
            continue
        for _ in range(REQUESTS):
            sent = request(dice)
            for is_joined in (False, True):
                is_through = lets_through(found.routes, sent, is_joined=is_joined)
                seen[_compared(mesh, sent, found.losses, is_through=is_through, text=f"{text}\n{found.routes}")] += 1
    assert seen["routed"] > POLICIES // 2, seen
    assert seen["same, allowed"] > POLICIES, seen
    assert seen["same, refused"] > POLICIES, seen


def _compared(mesh: Mesh, sent: Request, losses: tuple[Loss, ...], *, is_through: bool, text: str) -> str:
    if not isinstance(normalize(sent.path or ""), NormalPath):
        # A raw path that has no normal form: there the routes may refuse less, but where a rule reads paths.
        return "raw"
    is_allowed = decide(mesh, sent, DAY).is_allowed
    if is_allowed == is_through:
        return "same, allowed" if is_allowed else "same, refused"
    assert is_allowed, (sent, text)
    if sent.path == "//":
        return "raw"  # Envoy keeps it, which the language reads as `/`: another form of the path is taken
    facts = facts_of(mesh, sent, DAY)
    names = Counter(name for name, _ in sent.headers)
    assert any(holds(loss.region, facts) and (loss.repeated is None or names[loss.repeated] > 1) for loss in losses), (
        sent,
        text,
        losses,
    )
    return "stricter"
