"""Every request of a small world: the formulas of its port say of its point what the interpreter says of it."""

from __future__ import annotations

from collections import Counter

from tests.strategies.brute import Judged, World

from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.semantics import route
from meshproof.compiler.semantics.authorize import rule_truth, speaking_rules
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.region import Admitted, Allowed, Identified, Region, Taken


def compare_requests(world: World) -> Counter[str]:
    """How many requests were compared, and how many of them are allowed."""
    counts: Counter[str] = Counter()
    for key, judged in world.judged.items():
        encoding = world.encodings[key]
        for one in judged:
            _compare(world, encoding, one)
        counts.update({"pairs": len(judged), "allowed pairs": sum(one.is_allowed for one in judged)})
    return counts


def _compare(world: World, encoding: Encoding, one: Judged) -> None:
    expected: dict[Region, bool] = {
        Allowed(): one.is_allowed,
        Admitted(): one.is_admitted,
        Identified(): one.facts.identity is not None,
    }
    outcome = route(world.mesh, one.request, world.day)
    expected[Taken(None)] = outcome is None
    if outcome is not None and outcome.branch is not None:
        expected[Taken(outcome.branch)] = True
    formulas = encoding.environment.formulas
    for region, is_in in expected.items():
        assert formulas.holds(encoding.formula(region), one.point) == is_in, (region, one.request, world.mesh)
    matching = _matching(world, one)
    for rule, match in encoding.matches.items():
        assert formulas.holds(match, one.point) == (rule in matching), (rule, one.request, world.mesh)


def _matching(world: World, one: Judged) -> set[RuleId]:
    speaking = speaking_rules(world.mesh, one.request, one.facts, world.day)
    return {rule.id for rule in speaking if rule_truth(rule, one.node, one.facts, {})}
