from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.verify import Analysis, Breadth, rule_breadths

DECLARED = """
issuer idp { url "https://idp.example"  jwks "https://idp.example/keys"  audiences "x" }
service web { }
service api { port http 8080  accepts idp }
service store { port tcp 6379 }
"""


def breadth(rule: str) -> Breadth:
    result = rule_breadths(Analysis(mesh_of(f"{DECLARED}{rule}"), date(2026, 11, 23)))
    assert not result.undecided
    (found,) = result.found
    return found


@pytest.mark.parametrize(
    ("rule", "has_every_identity", "needs_token"),
    [
        ("allow r: web -> api", False, False),
        ("allow r: authenticated -> api", True, False),
        ("allow r: anyone -> api { when token from idp }", True, True),
        ('allow r: anyone -> api { when token from idp or path == "/open" }', True, False),
        ("allow r: anyone -> store", True, False),
        ("allow r: plaintext -> store", False, False),
        ("allow r: anyone except web -> api", False, False),
        ("allow r: anyone -> api { unless source in web }", False, False),
        ('allow r: anyone -> api { when source in web or path == "/open" }', True, False),
        ("allow r: authenticated -> { api, store }", True, False),
    ],
)
def test_who_has_something_of_a_rule(rule: str, has_every_identity: bool, needs_token: bool) -> None:
    found = breadth(rule)

    assert (found.has_every_identity, found.needs_token) == (has_every_identity, needs_token)


@pytest.mark.parametrize(
    ("rule", "free"),
    [
        ("allow r: web -> api", {"method", "path"}),
        ("allow r: web -> api { GET /** }", {"path"}),
        ("allow r: web -> api { * /a/** }", {"method"}),
        ("allow r: anyone -> api { GET /a }", {"source"}),
        ("allow r: anyone -> store", {"source"}),
        ('allow r: web -> api { GET /a  when header["x"] == "1" or not header["x"] == "1" }', {'header["x"]'}),
        ('allow r: web -> api { GET /a  when header["x"] != "1" }', set()),
        ('allow r: web -> api { when path startswith "/" }', {"method", "path"}),
    ],
)
def test_what_a_rule_is_free_in_whatever_it_is_written_like(rule: str, free: set[str]) -> None:
    assert set(breadth(rule).free) == free


def test_only_allows_are_asked_about() -> None:
    text = (
        f"{DECLARED}allow a: web -> api {{ GET /a }}\ndeny d: anyone -> api {{ * /b }}\nallow z: web except web -> api"
    )
    result = rule_breadths(Analysis(mesh_of(text), date(2026, 11, 23)))

    assert [one.rule for one in result.found] == ["a", "z"]
    assert result.found[1].free == ()
