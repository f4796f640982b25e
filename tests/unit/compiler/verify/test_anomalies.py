"""Each kind of anomaly on a page that shows it, and the rules beside it that have none."""

from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.verify import Analysis, RuleAnomaly, rule_anomalies

WORLD = """
service front { port http 80 }
service back  { port http 80 }
service shop  { port http 8080 }
service store { port http 8080 }
authorizer opa { address "opa.ops:9191" }
"""


def found(rules: str) -> dict[str, RuleAnomaly]:
    result = rule_anomalies(Analysis(mesh_of(WORLD + rules), date(2026, 11, 23)))
    assert not result.undecided
    return {one.rule: one for one in result.found}


CASES: dict[str, tuple[str, dict[str, str | None]]] = {
    "a deny that meets an ask alone is inert": (
        """allow a: front -> shop { GET /a }
        ask q: front -> shop { GET /b  via opa }
        deny d: front -> shop { GET /b }""",
        {"q": "inert", "d": "inert"},
    ),
    "an ask about what is denied is covered": (
        """allow a: front -> shop { GET /a/** }
        deny d: front -> shop { GET /a/b/** }
        ask q: front -> shop { GET /a/b/c  via opa }""",
        {"q": "covered"},
    ),
    "an ask that a deny takes a part of does something": (
        """allow a: front -> shop { GET /a/** }
        deny d: front -> shop { GET /a/b/** }
        ask q: front -> shop { GET /a/**  via opa }""",
        {},
    ),
    "a deny of what an ask asks about does something": (
        """allow a: front -> shop { GET /a/** }
        deny d: front -> shop { GET /a/b }
        ask q: front -> shop { GET /a/**  via opa }""",
        {},
    ),
    "the same rule written again is a duplicate": (
        """allow a: front -> shop { GET /a }
        allow b: front -> shop { GET /a }""",
        {"b": "duplicate"},
    ),
    "an allow that denies take is overridden": (
        """allow a: front -> shop { GET /a  POST /b }
        deny d: anyone -> shop { GET /a }
        deny e: front -> shop { POST /** }
        allow f: front -> shop { GET /f }""",
        {"a": "overridden", "e": None},
    ),
    "a narrower allow is shadowed": (
        """allow a: { front, back } -> shop { GET /a/** }
        allow b: front -> shop { GET /a/b }""",
        {"b": "shadowed"},
    ),
    "an allow in two parts is jointly shadowed": (
        """allow a: front -> shop { GET /** }
        allow b: front -> shop { POST /** }
        allow c: front -> shop { GET|POST /c }""",
        {"c": "jointly-shadowed"},
    ),
    "an allow that is allowed or denied elsewhere has a mixed cover": (
        """allow a: front -> shop { GET /** }
        deny d: front -> shop { POST /** }
        allow c: front -> shop { GET|POST /c }""",
        {"c": "mixed-cover"},
    ),
    "what is needed at one port is needed": (
        """allow a: front -> shop { GET /a }
        allow b: front -> { shop, store } { GET /a }""",
        {"a": "shadowed"},
    ),
    "callers that plaintext alone has are not admitted": (
        'allow a: plaintext -> shop { GET /a because "it is tried" }',
        {"a": "irrelevant"},
    ),
}


@pytest.mark.parametrize("title", CASES)
def test_a_rule_has_the_anomaly_that_it_should(title: str) -> None:
    rules, expected = CASES[title]
    result = found(rules)
    wanted = {name: kind for name, kind in expected.items() if kind is not None}
    inert = {name for name, kind in expected.items() if kind is None}
    assert {name: str(one.kind) for name, one in result.items() if name not in inert} == wanted


def test_a_cover_over_two_ports_has_no_rule_that_the_other_port_makes_needless() -> None:
    result = found(
        """allow a: front -> shop { GET /a/x }
        allow b: front -> shop { GET /a/y }
        allow c: front -> store { GET /a/** }
        allow d: front -> shop { GET /a/** }
        allow e: front -> { shop, store } { GET /a/{id} }"""
    )
    assert set(result["e"].cover) == {"c", "d"}
