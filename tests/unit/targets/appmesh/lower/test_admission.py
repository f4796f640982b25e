"""Whom listeners take in: all that a caller may do it may do at once, or its name is not there."""

from __future__ import annotations

import pytest
from tests.unit.targets.appmesh.lower.lowering import errors, listener, sound, taken

from meshproof.targets.appmesh.naming import NOBODY

SERVICES = "service a {}\nservice b { port http 80 }\nservice c { port tcp 90 }\n"
UNTIL = '{ because "moving in" until 2027-01-01 }'


@pytest.mark.parametrize(
    ("rules", "b", "c"),
    [
        ("", (NOBODY,), (NOBODY,)),
        ("allow x: a -> b", ("a",), (NOBODY,)),
        ("allow x: { a, b, c } -> b\ndeny y: c -> b", ("a", "b"), (NOBODY,)),
        ("allow x: { a, b } -> { b, c }\ndeny y: a -> c", ("a", "b"), ("b",)),
        ("allow x: a -> b\nallow y: a -> b { GET /x }", ("a",), (NOBODY,)),
        ('allow x: a -> b { because "x" until 2026-11-22 }', (NOBODY,), (NOBODY,)),
        ("allow x: authenticated -> b", "STRICT", (NOBODY,)),
        ("allow x: authenticated -> b\ndeny y: c -> b", ("a", "b"), (NOBODY,)),
        (f"allow x: anyone -> b\nmtls disabled for b:http {UNTIL}", "plaintext", (NOBODY,)),
        (f"allow x: anyone -> b\nmtls permissive for b {UNTIL}", "PERMISSIVE", (NOBODY,)),
        (f"allow x: a -> b\nmtls permissive for b {UNTIL}", ("a",), (NOBODY,)),
    ],
)
def test_listeners_take_in_whoever_may_do_everything(
    rules: str, b: tuple[str, ...] | str, c: tuple[str, ...] | str
) -> None:
    """A port that nobody may call has a listener too: what is not listened at is not guarded."""
    found = sound(SERVICES + rules)
    assert (taken(listener(found, "b_app")), taken(listener(found, "c_app"))) == (b, c)


def test_who_is_not_named_is_a_loss_at_the_rule() -> None:
    """A deny for one makes the others names, and no name stands for those that the policy does not know."""
    whole = sound(SERVICES + "allow x: authenticated -> b")
    named = sound(SERVICES + "allow x: authenticated -> b\ndeny y: c -> b")
    assert [(one.subject, one.direction) for one in whole.losses] == []
    assert [(one.subject, one.direction) for one in named.losses] == [("x", "stricter")]


@pytest.mark.parametrize(
    ("rules", "subject"),
    [
        (f"allow x: a -> b {{ GET /x }}\nallow y: anyone -> b {{ GET /y }}\nmtls permissive for b {UNTIL}", "y"),
        (f"allow x: anyone -> b\ndeny y: a -> b\nmtls permissive for b {UNTIL}", "x"),
        (f"allow x: anyone -> b {{ GET /x }}\nmtls disabled for b:http {UNTIL}", "x"),
        (f"mtls disabled for b:http {UNTIL}", "b:80"),
        (f"allow x: anyone -> b\nmtls disabled for b {UNTIL}", "b"),
        ('allow x: a -> c { when source.ip in "10.0.0.0/8" }', "x"),
    ],
)
def test_what_a_listener_cannot_tell_apart_is_refused_at_the_rule(rules: str, subject: str) -> None:
    """Where plaintext is taken, everybody is let in."""
    assert errors(SERVICES + rules)[subject].startswith("MP701")


def test_a_foreign_domain_is_no_matter_for_a_listener() -> None:
    """A listener trusts one authority."""
    mesh = 'mesh m { language 1  trust-domain "td"  trusts "other"  namespace app  egress closed }\n'
    found = errors(f'{mesh}{SERVICES}allow x: identity "spiffe://other/ns/x/sa/y" -> b', has_mesh=True)
    assert "`td` alone" in found["x"]


def test_the_gate_is_nobody_of_the_policy() -> None:
    """Whoever shared its name would be let in wherever it is."""
    assert errors("service meshproof-gate {}\nservice b { port http 80 }")["meshproof-gate"].startswith("MP709")


def test_who_is_called_has_an_identity_of_the_mesh() -> None:
    text = """
        mesh m { language 1  trust-domain "td"  trusts "vm.corp"  namespace app  egress closed }
        service web { port http 8080 }
        service legacy { identity "spiffe://vm.corp/legacy"  port http 9000 }
        service caller { identity "spiffe://vm.corp/caller" }
        allow a: web -> legacy
    """
    found = errors(text, has_mesh=True)
    assert set(found) == {"legacy"}
    assert "callers trust the authority of `td` alone" in found["legacy"]
