from __future__ import annotations

from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.verify import Analysis, contradiction

DECLARED = """
issuer idp { url "https://idp.example"  jwks "https://idp.example/keys"  audiences "x" }
service web { }
service api { port http 8080 }
"""


def parts(rule: str) -> tuple[str, ...]:
    analysis = Analysis(mesh_of(f"{DECLARED}{rule}"), date(2026, 11, 23))
    return contradiction(analysis, analysis.rules[RuleId("r")])


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            'allow r: web -> api { GET /a  when has header["x"]  when method == "POST" }',
            ('`method == "GET" and path == "/a"`', '`method == "POST"`'),
        ),
        (
            'allow r: web -> api { GET /a\nPUT /a\nwhen has query["q"]\nwhen method == "POST" }',
            ("the operations", '`method == "POST"`'),
        ),
        (
            "allow r: web -> api { when source in namespace sre }",
            ("the sources `web`", '`source startswith "spiffe://td/ns/sre/"`'),
        ),
        ("allow r: web -> api { when token from idp }", ('`token == "https://idp.example"`',)),
        ("allow r: web except web -> api { GET /a }", ("the sources `web except web`",)),
        ("allow r: web -> api { GET /a }", ()),
    ],
)
def test_the_parts_that_exclude_each_other_are_as_few_as_can_be(rule: str, expected: tuple[str, ...]) -> None:
    assert parts(rule) == expected


def test_of_what_is_too_large_nothing_is_said() -> None:
    assert parts('allow r: web -> api { when header["x"] matches re"(a|b)*a(a|b){14}" and path == "/a" }') == ()
