"""Findings over rules and routes against trying every request of a small world."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.brute import TooLarge, World
from tests.strategies.brute_rules import RuleSets, anomaly_of, is_free
from tests.strategies.meshes import DAY, TINY, random_mesh

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.semantics import route
from meshproof.compiler.verify import (
    Analysis,
    RuleAnomaly,
    breadth_of,
    conflicts,
    plaintext_reachable,
    rule_anomalies,
    unreachable_branches,
    unrouted,
)

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
POLICIES = 1200 if IS_FULL else 80
CROWDED = replace(TINY, rules=6, route_share=0.8)


def _worlds(seed: int, count: int) -> list[World]:
    rng = Random(seed)  # noqa: S311  reproducible on purpose
    found: list[World] = []
    while len(found) < count:
        mesh = random_mesh(rng, CROWDED)
        if mesh.rules and rng.random() < 0.5:  # so that rules meet: the same one again, a little changed
            one, other = rng.choice(mesh.rules), rng.choice(mesh.rules)
            twin = replace(one, id=RuleId(f"{one.id}-again"), sources=rng.choice((one, other)).sources, when=other.when)
            mesh = replace(mesh, rules=tuple(sorted((*mesh.rules, twin), key=lambda rule: rule.id)))
        try:
            found.append(World(Analysis(mesh, DAY), 600))
        except TooLarge:
            continue
    return found


@pytest.mark.parametrize("batch", range(4))
def test_each_rule_has_the_anomaly_that_trying_finds(batch: int) -> None:
    kinds: Counter[str] = Counter()
    for world in _worlds(batch, POLICIES // 4):
        stable, today = RuleSets(world, is_admitted=False), RuleSets(world, is_admitted=True)
        result = rule_anomalies(world.analysis)
        found = {one.rule: one for one in result.found}
        assert not result.undecided
        for rule in stable.rules.values():
            if world.analysis.scopes_of(rule.id):
                one = found.get(rule.id)
                expected = anomaly_of(stable, today, rule)
                assert (None if one is None else (str(one.kind), one.is_stable)) == expected, (rule, world.mesh)
                if one is not None:
                    _check_cover(stable if one.is_stable else today, one)
                    kinds[str(one.kind)] += 1
    assert len(kinds) >= 4


def _check_cover(sets: RuleSets, one: RuleAnomaly) -> None:
    rule = sets.rules[one.rule]
    outside = frozenset(range(len(sets.requests))) - sets.allowed if one.kind == "covered" else frozenset()
    own = sets.matches[one.rule] - outside
    if one.cover:
        assert own <= sets.union(one.cover)
        if one.kind not in {"duplicate", "shadowed"}:
            for name in one.cover:
                rest = [other for other in one.cover if other != name]
                assert not own <= sets.union(rest), "one of the cover is not needed"
    if one.contrary is not None:
        assert sets.rules[one.contrary].effect is not rule.effect
        assert sets.matches[one.contrary] & sets.matches[one.rule]


@pytest.mark.parametrize("batch", range(2))
def test_conflicts_are_the_pairs_that_meet(batch: int) -> None:
    count = 0
    for world in _worlds(100 + batch, POLICIES // 2):
        sets = RuleSets(world, is_admitted=False)
        expected = {}
        for allow in sets.rules.values():
            for deny in sets.rules.values():
                one, other = sets.matches[allow.id], sets.matches[deny.id]
                if allow.effect is Effect.ALLOW and deny.effect is Effect.DENY and one & other:
                    kind = "override" if one <= other else "exception" if other <= one else "correlation"
                    expected[allow.id, deny.id] = kind
        assert {(one.allow, one.deny): str(one.kind) for one in conflicts(world.analysis).found} == expected
        count += len(expected)
    assert count


def test_free_dimensions_are_those_that_change_nothing() -> None:
    free = bound = 0
    for world in _worlds(200, POLICIES):
        sets = RuleSets(world, is_admitted=False)
        for name, matches in sets.matches.items():
            if not matches or not world.analysis.scopes_of(name):
                continue
            found = breadth_of(world.analysis, name).free
            live = {sets.requests[number].key for number in matches}
            has_http = all(world.layer(key) != "tcp" for key in live)
            for field in ("source", "method", "path") if has_http else ("source",):
                assert (field in found) == is_free(sets, name, field), (name, field, world.mesh)
                free, bound = free + (field in found), bound + (field not in found)
    assert free
    assert bound


def test_branches_and_left_over_requests_are_those_of_trying() -> None:
    count = 0
    for world in _worlds(300, POLICIES):
        taken: dict[str, set[str]] = {one.id: set() for one in world.mesh.routes}
        left: set[str] = set()
        for judged in world.judged.values():
            for one in judged:
                chosen = [r for r in (world.analysis.scope(one.key).policy.route,) if r]
                if one.request.protocol == "tcp":
                    chosen = [r for r in (world.analysis.scope(one.key).policy.route_tcp,) if r]
                outcome = route(world.mesh, one.request, DAY)
                for found in chosen:
                    if outcome is None:
                        left.add(found.id)
                    elif outcome.branch is not None:
                        taken[found.id].add(outcome.branch)
        dead = {(one.route, one.branch) for one in unreachable_branches(world.analysis)}
        assert dead == {
            (one.id, branch.id)
            for one in world.mesh.routes
            for branch in one.branches
            if branch.id not in taken[one.id]
        }
        assert {one.route for one in unrouted(world.analysis)} == left
        count += len(dead)
    assert count


def test_plaintext_is_let_in_where_trying_gets_in() -> None:
    count = 0
    for world in _worlds(400, POLICIES):
        expected = {
            key
            for key, judged in world.judged.items()
            if not world.analysis.scope(key).policy.is_gateway
            and any(one.is_allowed and one.facts.identity is None for one in judged)
        }
        assert {one.key for one in plaintext_reachable(world.analysis)} == expected
        count += len(expected)
    assert count
