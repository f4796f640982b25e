"""What differs between two policies against trying every request: it is in a region exactly if it is treated otherwise.

Whether it is in one the interpreter tells from what the region says in words.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from tests.strategies.brute import TooLarge
from tests.strategies.brute_diff import Tried, TriedPort, is_meant, is_stranger, try_all
from tests.strategies.edits import edited, new_rule, random_pair, with_rules
from tests.strategies.meshes import DAY, LIFTED, SMALL, TINY, Size, random_mesh, seeded

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.semantics import decide, is_well_formed
from meshproof.compiler.smt.joint_callers import Trust
from meshproof.compiler.verify.semantic_diff import is_same_policy, semantic_diff
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion, DiffVerdict, SemanticDiff

IS_FULL = os.environ.get("MESHPROOF_SAMPLES") == "full"
PAIRS = 240 if IS_FULL else 12
BATCHES = 4
MOST_REQUESTS = 2_500 if IS_FULL else 700
_CROWDED = replace(TINY, rules=5, route_share=0.6)
_FEW = replace(TINY, rules=4, route_share=0.3, externals=0)


def _pairs(seed: int, count: int) -> list[tuple[Mesh, Mesh, tuple[TriedPort, ...]]]:
    rng = seeded(seed)
    found: list[tuple[Mesh, Mesh, tuple[TriedPort, ...]]] = []
    while len(found) < count:
        old, new = random_pair(rng, _CROWDED if IS_FULL else _FEW)
        try:
            ports = tuple(try_all(old, new, DAY, MOST_REQUESTS))
        except TooLarge:
            continue
        found.append((old, new, ports))
    return found


@pytest.mark.parametrize("batch", range(BATCHES))
def test_regions_cover_exactly_what_differs(batch: int) -> None:
    counts: Counter[str] = Counter()
    for old, new, ports in _pairs(batch, PAIRS):
        found = semantic_diff(old, new, DAY)
        assert all(one.subject.startswith(("issuer", "gateway")) for one in found.undecided), found.undecided
        for port in ports:
            _compare(old, new, port, found, counts)
    assert counts["same"] > 0
    assert counts["exact"] > 0


def test_edited_policies_have_one_rule_of_a_name() -> None:
    """As in the language: names tell the comparison which rule is which."""
    rng = seeded(5)
    for _ in range(200):
        names = [rule.id for rule in edited(rng, random_mesh(rng, TINY), TINY, 8).rules]
        assert len(names) == len(set(names))


def _compare(old: Mesh, new: Mesh, port: TriedPort, found: SemanticDiff, counts: Counter[str]) -> None:
    kinds = (
        (Change.ALLOWED, found.newly_allowed),
        (Change.DENIED, found.newly_denied),
        (Change.REROUTED, found.rerouted),
    )
    for change, regions in kinds:
        here = [region for region in regions if port.place in region.places]
        differing = [one for one in port.tried if _is_changed(one, change)]
        assert bool(differing) == bool(here), (change, port.place, differing[:1], here)
        counts["differs" if here else "same"] += 1
        if here and _is_told_alike(old, new, port, here):
            counts["exact"] += 1
            for one in port.tried:
                if not (change is Change.REROUTED and is_stranger(one.request.sent, new)):
                    assert _is_covered(here, port, one, new) == _is_changed(one, change), (one, here)


def _is_changed(one: Tried, change: Change) -> bool:
    match change:
        case Change.ALLOWED:
            return one.is_newly_allowed
        case Change.DENIED:
            return one.is_newly_denied
        case Change.REROUTED:
            return one.is_rerouted


def _is_told_alike(old: Mesh, new: Mesh, port: TriedPort, regions: list[DiffRegion]) -> bool:
    """Whether conditions mean the same to both sides, and the regions are told by conditions at all."""
    issuers = [[(one.url, one.audiences) for one in side.issuers] for side in (port.pair.old, port.pair.new)]
    is_alike = Trust.of(old) == Trust.of(new) and issuers[0] == issuers[1]
    return is_alike and not any(region.is_rest for region in regions)


def _is_covered(regions: list[DiffRegion], port: TriedPort, one: Tried, mesh: Mesh) -> bool:
    return any(
        is_meant(meaning, region.sources, one.request, mesh, DAY)
        for region in regions
        for meaning in region.meanings_at(port.place)
    )


@pytest.mark.parametrize("size", [SMALL, LIFTED], ids=["language", "lifted"])
def test_a_policy_does_not_differ_from_itself_wherever_it_stands(size: Size) -> None:
    for number in range(20):
        mesh, again = (random_mesh(seeded(number), size) for _ in range(2))
        found = semantic_diff(mesh, replace(again, name="other"), DAY)
        assert found == SemanticDiff()
        assert found.verdict is DiffVerdict.EQUAL


def _random_sides(rng: Random, effects: tuple[Effect, ...]) -> tuple[Mesh, AuthzRule] | None:
    mesh = random_mesh(rng, SMALL)
    rule = new_rule(rng, mesh, SMALL, "added")
    return (mesh, rule) if rule.effect in effects else None


@pytest.mark.parametrize(
    ("effects", "forbidden"),
    [((Effect.ALLOW,), "newly_denied"), ((Effect.DENY, Effect.ASK), "newly_allowed")],
    ids=["allow", "deny-or-ask"],
)
def test_one_more_rule_changes_in_one_direction(effects: tuple[Effect, ...], forbidden: str) -> None:
    rng = seeded(7)
    differing = 0
    for _ in range(60):
        sides = _random_sides(rng, effects)
        if sides is None:
            continue
        mesh, rule = sides
        more = with_rules(mesh, (*mesh.rules, rule))
        found, back = semantic_diff(mesh, more, DAY), semantic_diff(more, mesh, DAY)
        assert getattr(found, forbidden) == ()
        assert len(found.newly_allowed) == len(back.newly_denied)
        assert len(found.newly_denied) == len(back.newly_allowed)
        differing += bool(found.regions)
    assert differing >= 4


def test_every_witness_is_decided_as_it_is_said_and_every_edit_is_one() -> None:
    rng = seeded(11)
    witnesses = 0
    for _ in range(25):
        old, new = random_pair(rng, SMALL)
        found = semantic_diff(old, new, DAY)
        for region in (*found.newly_allowed, *found.newly_denied):
            assert region.blame, region
            assert all(edit.old != edit.new for edit in region.blame if edit.kind == "rule" and edit.old is None)
            if region.witness is None:
                continue
            place, witness = region.places[0], region.witness
            for mesh, name, decision in ((old, place.old, witness.old), (new, place.new, witness.new)):
                request = replace(witness.request, destination=NodeName(name or ""))
                if decision is None or is_well_formed(mesh, request, DAY) is not None:
                    continue  # as it is sent it does not come there, and what comes is something else
                assert decide(mesh, request, DAY) == decision
                witnesses += 1
    assert witnesses > 20


def test_policies_that_say_the_same_are_told_without_the_solver(monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = random_mesh(seeded(3), SMALL)
    monkeypatch.setattr("meshproof.compiler.verify.semantic_diff.Sides", None)

    assert is_same_policy(mesh, replace(mesh, name="other", tests=(), proofs=(), waivers=()))
    assert semantic_diff(mesh, replace(mesh, environment="prod"), DAY).verdict is DiffVerdict.EQUAL
