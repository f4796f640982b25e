"""PeerAuthentication and RequestAuthentication."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Specs = Callable[..., dict[str, Any]]

B = "service b { port http 80 -> 8080  port db tcp 5432 }\n"
SELECTOR = {"matchLabels": {"app": "b"}}
WHY = '{ because "x" until 2027-01-31 }'


def test_strict_is_said_of_every_service_and_nothing_else(specs: Specs) -> None:
    found = specs("PeerAuthentication", B + "service caller {}\n")
    assert found == {"app/b": {"selector": SELECTOR, "mtls": {"mode": "STRICT"}}}


def test_the_closest_statement_holds(specs: Specs) -> None:
    text = f"namespace app {{ mtls permissive {WHY} }}\n"
    text = B + f"mtls permissive for b {WHY}\nmtls disabled for b:db {WHY}"
    found = specs("PeerAuthentication", text)["app/b"]
    assert found["mtls"] == {"mode": "PERMISSIVE"}
    assert found["portLevelMtls"] == {"5432": {"mode": "DISABLE"}}


def test_an_exception_that_has_ended_is_strict_again(specs: Specs) -> None:
    text = B + 'mtls permissive for b:db { because "x" until 2026-11-22 }'
    assert "portLevelMtls" not in specs("PeerAuthentication", text)["app/b"]


def test_tokens_are_looked_for_where_the_issuer_says_and_nowhere_else(specs: Specs) -> None:
    text = """
issuer one { url "https://one" jwks "https://one/k" audiences "a", "b" }
issuer two { url "https://two" jwks "https://two/k" from header "x-token" strip }
issuer three { url "https://three" jwks "https://three/k" from query "t" }
issuer four { url "https://four" jwks "https://four/k" from cookie "c" }
service b { port http 80  accepts one, two, three, four }
service c { port http 80 }
"""
    found = specs("RequestAuthentication", text)
    assert set(found) == {"app/b"}
    by_issuer = {rule.pop("issuer"): rule for rule in found["app/b"]["jwtRules"]}
    assert by_issuer["https://one"] == {
        "jwksUri": "https://one/k",
        "audiences": ["a", "b"],
        "fromHeaders": [{"name": "Authorization", "prefix": "Bearer "}],
        "forwardOriginalToken": True,
    }
    assert by_issuer["https://two"]["fromHeaders"] == [{"name": "x-token"}]
    assert by_issuer["https://two"]["forwardOriginalToken"] is False
    assert by_issuer["https://three"]["fromParams"] == ["t"]
    assert by_issuer["https://four"]["fromCookies"] == ["c"]


def test_an_observed_service_reads_no_tokens(specs: Specs) -> None:
    text = 'issuer one { url "https://one" jwks "https://one/k" }\n'
    text += f"service b {{ port http 80  accepts one  observe {WHY} }}"
    assert specs("RequestAuthentication", text) == {}


def test_a_service_without_ports_lets_everybody_in_while_it_is_observed(specs: Specs) -> None:
    """Under `observe` nothing is refused, at ports that nobody declared neither."""
    text = f"namespace app {{ closed }}\nservice a {{ observe {WHY} }}\nservice b {{}}\n"
    found = specs("PeerAuthentication", text)
    assert found["app/a"]["mtls"] == {"mode": "PERMISSIVE"}
    assert "app/b" not in found
