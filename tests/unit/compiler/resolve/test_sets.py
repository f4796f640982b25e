"""Sets as sources: each form of the algebra, by whom it takes and whom it names."""

from __future__ import annotations

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.entities import SourceSet
from meshproof.compiler.ir.matchers import Exact, Prefix
from meshproof.compiler.ir.predicate import Always, Never, Not, Or
from meshproof.compiler.resolve.callers import ANY_IDENTITY, below, exactly, takes

WORLD = """
mesh m { language 1  trust-domain "td"  aliases "old"  trusts "partner"  namespace app }
service a {}
service b { port http 80  tags pci }
service c { port http 81  tags pci  account b }
service d { namespace other }
service vm { namespace other  identity "spiffe://partner/host/vm" }
gateway edge { namespace ingress  port http 80 }
zone cards = tagged pci
zone nested = { cards, a }
"""
A, B, D = "spiffe://td/ns/app/sa/a", "spiffe://td/ns/app/sa/b", "spiffe://td/ns/other/sa/d"
VM, EDGE = "spiffe://partner/host/vm", "spiffe://td/ns/ingress/sa/edge"
STRANGER, FOREIGN = "spiffe://td/ns/other/sa/x", "spiffe://partner/ns/other/sa/x"
CALLERS = (A, B, D, VM, EDGE, STRANGER, FOREIGN, None)


def sources_of(text: str) -> SourceSet:
    mesh = mesh_of(WORLD + f"audit deny r: {text} -> b:http", has_mesh=True)
    (rule,) = mesh.rules
    return rule.sources


@pytest.mark.parametrize(
    ("text", "taken", "members"),
    [
        ("a", {A}, "a"),
        ("b", {B}, "b"),
        ("edge", {EDGE}, "edge"),
        ("tagged pci", {B}, "b c"),
        ("cards", {B}, "b c"),
        ("nested", {A, B}, "a b c"),
        ("all", {A, B, D, VM}, "a b c d vm"),
        ("namespace other", {D, VM, STRANGER}, "d vm"),
        ('namespace other of "td"', {D, VM, STRANGER}, "d vm"),
        ('namespace other of "old"', {D, VM, STRANGER}, "d vm"),
        ('namespace other of "partner"', {FOREIGN}, ""),
        ('identity "spiffe://partner/*"', {VM, FOREIGN}, "vm"),
        ('identity "spiffe://old/ns/app/sa/a"', {A}, "a"),
        ('identity "spiffe://td/ns/other/*"', {D, STRANGER}, "d"),
        ("authenticated", {A, B, D, VM, EDGE, STRANGER, FOREIGN}, "a b c d edge vm"),
        ("plaintext", {None}, ""),
        ("anyone", set(CALLERS), "a b c d edge vm"),
        ("{ a, edge }", {A, EDGE}, "a edge"),
        ("a or d", {A, D}, "a d"),
        ("namespace other and all", {D, VM}, "d vm"),
        ("authenticated except namespace other", {A, B, EDGE, FOREIGN}, "a b c edge"),
        ("all except b", {A, D, VM}, "a c d vm"),
        ("{ all except cards } or plaintext", {A, D, VM, None}, "a d vm"),
        ("anyone except plaintext", {A, B, D, VM, EDGE, STRANGER, FOREIGN}, "a b c d edge vm"),
    ],
)
def test_whom_a_set_takes_and_names(text: str, taken: set[str | None], members: str) -> None:
    sources = sources_of(text)

    assert {caller for caller in CALLERS if takes(sources.matches, caller)} == taken
    assert " ".join(sources.members) == members
    assert sources.has_internet == (None in taken)
    assert sources.text == text


@pytest.mark.parametrize(("text", "shared"), [("b", "c"), ("c", "b"), ("a", ""), ("tagged pci", ""), ("{ a, c }", "b")])
def test_who_shares_an_identity_without_being_named(text: str, shared: str) -> None:
    assert " ".join(sources_of(text).shared) == shared


def test_forms_are_the_ones_that_the_ir_promises() -> None:
    assert sources_of("a").matches == exactly(A)
    assert sources_of("authenticated").matches == ANY_IDENTITY
    assert sources_of("plaintext").matches == Not(ANY_IDENTITY)
    assert sources_of("anyone").matches == Always()
    assert sources_of('namespace x of "partner"').matches == below("spiffe://partner/ns/x/")
    assert sources_of("tagged pci").matches == exactly(B)
    found = sources_of("namespace other").matches
    assert isinstance(found, Or)
    assert {type(test.matcher) for test in found.operands if hasattr(test, "matcher")} == {Exact, Prefix}


def test_internet_is_a_flag_and_takes_no_identity() -> None:
    mesh = mesh_of(WORLD + "allow r: internet -> edge", has_mesh=True)

    assert mesh.rules[0].sources.has_internet
    assert mesh.rules[0].sources.matches == Never()


def test_order_in_braces_does_not_matter() -> None:
    assert sources_of("{ d, a }").matches == sources_of("{ a, d }").matches
