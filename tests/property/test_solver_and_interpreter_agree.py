"""The solver against the interpreter on random small policies, every request of which is tried.

What is compared: what every request is decided as, every kind of claim, every kind of anomaly of a rule, conflicts,
breadth, hazards, dead branches, requests that no branch takes, what is routed and not allowed, and who gets in without
identity. Whatever is answered with a request has been replayed by the interpreter, or there would be no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from tests.strategies.agree_claims import compare_claims
from tests.strategies.agree_requests import compare_requests
from tests.strategies.agree_routes import compare_exposure, compare_routes
from tests.strategies.agree_rules import compare_anomalies, compare_breadth, compare_conflicts, compare_hazards
from tests.strategies.brute import World
from tests.strategies.worlds import IS_FULL, small_worlds

from meshproof.compiler.verify import AnomalyKind, ConflictKind, HazardKind

COMPARISONS: tuple[Callable[[World], Counter[str]], ...] = (
    compare_requests,
    compare_claims,
    compare_anomalies,
    compare_conflicts,
    compare_breadth,
    compare_hazards,
    compare_routes,
    compare_exposure,
)
BATCHES = 2  # one a core
MANY = (10_000 if IS_FULL else 2_000) // BATCHES
LEAST_PAIRS = 10 * MANY
MOST_REQUESTS = 2_000

CLAIMS = (
    "OnlyReaches",
    "NoRequest",
    "EveryRequestIs",
    "EveryRequestSatisfies",
    "EveryRequestIsMtls",
    "CanReach",
    "CanCall",
    "NoPath",
    "IsIsolated",
    "NoMirrorLeaves",
    "AtMostAttempts",
)
VERDICTS = tuple(f"{claim} {verdict}" for claim in CLAIMS for verdict in ("Proved", "Refuted"))
DIMENSIONS = ("source", "method", "path", "host", "header", "query", "token", "source.ip", "client.ip", "sni")
ROUTING = ("dead branch", "unrouted", "allowed, not routed", "routed, not allowed", "exposed")
EVERY_KIND = (
    *VERDICTS,
    *(str(kind) for kind in AnomalyKind if kind is not AnomalyKind.IRRELEVANT),
    "irrelevant today",
    *map(str, ConflictKind),
    *map(str, HazardKind),
    *(f"{is_free} {name}" for name in DIMENSIONS for is_free in ("free", "bound")),
    *ROUTING,
)


@pytest.fixture(scope="module")
def few() -> tuple[World, ...]:
    return tuple(small_worlds(1, 40, 600))


@pytest.mark.parametrize("compare", COMPARISONS, ids=lambda compare: compare.__name__)
def test_a_few_policies_are_read_alike(few: tuple[World, ...], compare: Callable[[World], Counter[str]]) -> None:
    counts: Counter[str] = Counter()
    for world in few:
        counts.update(compare(world))
    assert counts.total() > 0


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(BATCHES))
def test_thousands_of_policies_are_read_alike(batch: int, record_property: Callable[[str, object], None]) -> None:
    counts: Counter[str] = Counter()
    policies = 0
    for world in small_worlds(1000 + batch, MANY, MOST_REQUESTS):
        policies += 1
        for compare in COMPARISONS:
            counts.update(compare(world))
    record_property("policies", policies)
    for kind, count in sorted(counts.items()):
        record_property(kind, count)
    assert policies * BATCHES >= 2_000
    assert counts["pairs"] * BATCHES >= 20_000
    assert counts["pairs"] >= LEAST_PAIRS
    missing = [kind for kind in EVERY_KIND if not counts[kind]]
    assert not missing
