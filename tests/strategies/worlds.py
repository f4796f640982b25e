"""Small worlds: random policies of which every request can be tried."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from random import Random

from tests.strategies.brute import TooLarge, World
from tests.strategies.claims import with_claims
from tests.strategies.meshes import DAY, TINY, random_mesh, seeded

from meshproof.compiler.ir.assertions import AtMostAttempts, Claim
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact, Present
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Always, Method, SourceIdentity, Test, conjunction, negation
from meshproof.compiler.verify import Analysis

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"

_CROWDED = replace(TINY, rules=6, route_share=0.8)
_CLAIMS = 4


def small_worlds(seed: int, count: int, most: int) -> Iterator[World]:
    """So many policies with claims and at most that many requests, the same for the same seed."""
    rng = seeded(seed)
    found = 0
    while found < count:
        mesh = _meeting(rng, random_mesh(rng, _CROWDED))
        mesh = _tightened(rng, with_claims(rng, mesh, _CLAIMS))
        try:
            world = World(Analysis(mesh, DAY), most)
        except TooLarge:
            continue
        found += 1
        yield world


def _meeting(rng: Random, mesh: Mesh) -> Mesh:
    """Often with rules that meet: one of them again, a little changed, or in two parts, of which one may refuse."""
    if not mesh.rules or rng.random() < 0.4:
        return mesh
    one, other = rng.choice(mesh.rules), rng.choice(mesh.rules)
    if rng.random() < 0.5:
        twin = replace(one, id=RuleId(f"{one.id}-again"), sources=rng.choice((one, other)).sources, when=other.when)
        return _with_rules(mesh, (twin,))
    cut = rng.choice((Test(Method(), Exact("GET")), Test(SourceIdentity(), Present()), other.content))
    part = replace(one, id=RuleId(f"{one.id}-part"), when=conjunction((one.when, cut)))
    rest = replace(one, id=RuleId(f"{one.id}-rest"), when=conjunction((one.when, negation(cut))))
    if one.effect is Effect.ALLOW and rng.random() < 0.4:
        rest = replace(rest, effect=Effect.DENY)
    opening = replace(one, id=RuleId(f"{one.id}-open"), effect=Effect.ALLOW, authorizer=None, when=Always())
    return _with_rules(mesh, (part, rest) if one.effect is Effect.ALLOW else (part, rest, opening))


def _with_rules(mesh: Mesh, rules: tuple[AuthzRule, ...]) -> Mesh:
    return replace(mesh, rules=tuple(sorted((*mesh.rules, *rules), key=lambda rule: rule.id)))


def _tightened(rng: Random, mesh: Mesh) -> Mesh:
    """With claims about attempts that the first retry breaks."""
    return replace(
        mesh,
        proofs=tuple(
            replace(prove, claims=tuple(_tight(rng, claim) for claim in prove.claims)) for prove in mesh.proofs
        ),
    )


def _tight(rng: Random, claim: Claim) -> Claim:
    if not isinstance(claim.statement, AtMostAttempts) or rng.random() < 0.5:
        return claim
    anyone = SourceSet(Always(), has_internet=True, members=(), shared=(), text="anyone")
    return replace(claim, statement=AtMostAttempts(1, anyone))
