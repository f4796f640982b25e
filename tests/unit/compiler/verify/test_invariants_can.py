"""`can reach` and `can call`: something for each source and each destination, not for most of them."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.verify import Analysis, ClaimResult, Proved, Refuted, check_claim

WORLD = """
service front { port http 80 }
service shop  { port http 8080  port db tcp 5432 }
service store { port tcp 6379 }
service cron  { }
allow all-of-shop: front -> shop
allow keep: front -> store
"""


def judged(claim: str) -> ClaimResult:
    mesh = mesh_of(WORLD + f'prove "p" {{ {claim} }}')
    (prove,) = mesh.proofs
    return check_claim(Analysis(mesh, date(2026, 11, 23)), prove, prove.claims[0])


@pytest.mark.parametrize(
    "claim",
    [
        "front can reach { shop, store }",
        "front can reach shop GET /x",
        "front can reach store:tcp",
        "front can call shop GET /x",
    ],
)
def test_it_is_proved(claim: str) -> None:
    assert isinstance(judged(claim).verdict, Proved)


@pytest.mark.parametrize(
    ("claim", "note"),
    [
        ("front can reach { shop, cron }", "`cron` has no port: it only calls"),
        ("front can reach all except front", "`cron` has no port: it only calls"),
        ("front can call { shop:http, cron } GET /x", "`cron` has no port: it only calls"),
        ("front can reach { shop, store } GET /x", "there is no such request to `store:tcp`"),
        ("cron can reach store", "no request of this kind from this caller is allowed"),
    ],
)
def test_one_destination_that_cannot_be_reached_refutes_it(claim: str, note: str) -> None:
    verdict = judged(claim).verdict

    assert isinstance(verdict, Refuted)
    assert verdict.witness.note == note


def test_a_destination_without_any_port_is_an_empty_set() -> None:
    assert judged("front can reach cron").empty == "destinations"
