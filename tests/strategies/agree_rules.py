"""Findings about the rules of a small world against the sets of requests that they match."""

from __future__ import annotations

from collections import Counter

from tests.strategies.brute import World
from tests.strategies.brute_rules import RuleSets, anomaly_of
from tests.strategies.brute_variation import hazards_of, in_play, is_free

from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.predicate_text import attribute_name
from meshproof.compiler.verify import RuleAnomaly, breadth_of, conflicts, rule_anomalies
from meshproof.compiler.verify.hazards import rule_hazards


def compare_anomalies(world: World) -> Counter[str]:
    """How many rules have each anomaly; what is not stable is counted apart."""
    counts: Counter[str] = Counter()
    stable, today = RuleSets(world, is_admitted=False), RuleSets(world, is_admitted=True)
    result = rule_anomalies(world.analysis)
    found = {one.rule: one for one in result.found}
    assert not result.undecided
    for rule in stable.rules.values():
        if not world.analysis.scopes_of(rule.id):
            continue
        one = found.get(rule.id)
        expected = anomaly_of(stable, today, rule)
        assert (None if one is None else (str(one.kind), one.is_stable)) == expected, (rule, world.mesh)
        if one is not None:
            _check_cover(stable if one.is_stable else today, one)
            counts[str(one.kind) if one.is_stable else f"{one.kind} today"] += 1
    return counts


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


def compare_conflicts(world: World) -> Counter[str]:
    """How many pairs of an allow and a deny meet, by kind."""
    sets = RuleSets(world, is_admitted=False)
    expected = {}
    for allow in sets.rules.values():
        for deny in sets.rules.values():
            one, other = sets.matches[allow.id], sets.matches[deny.id]
            if allow.effect is Effect.ALLOW and deny.effect is Effect.DENY and one & other:
                kind = "override" if one <= other else "exception" if other <= one else "correlation"
                expected[allow.id, deny.id] = kind
    result = conflicts(world.analysis)
    assert not result.undecided
    assert {(one.allow, one.deny): str(one.kind) for one in result.found} == expected
    return Counter(expected.values())


def compare_breadth(world: World) -> Counter[str]:
    """How many rules are free in each dimension, and how many are not."""
    counts: Counter[str] = Counter()
    sets = RuleSets(world, is_admitted=False)
    for name, matches in sets.matches.items():
        if not matches or not world.analysis.scopes_of(name):
            continue
        found = breadth_of(world.analysis, name).free
        for field, attributes in in_play(sets, name).items():
            expected = all(is_free(sets, name, attribute) for attribute in attributes)
            assert (field in found) == expected, (name, field, world.mesh)
            kind = field.partition("[")[0]
            counts[f"free {kind}" if expected else f"bound {kind}"] += 1
    return counts


def compare_hazards(world: World) -> Counter[str]:
    """How many rules lose or miss what has a header, query, token or identity more, by kind."""
    sets = RuleSets(world, is_admitted=False)
    expected = {
        (rule.id, attribute_name(attribute), kind)
        for rule in sets.rules.values()
        if rule.effect is not Effect.ASK and world.analysis.scopes_of(rule.id)
        for attribute, kind in hazards_of(sets, rule)
    }
    result = rule_hazards(world.analysis)
    assert not result.undecided
    assert {(one.rule, one.name, str(one.kind)) for one in result.found} == expected, world.mesh
    return Counter(kind for _, _, kind in expected)
