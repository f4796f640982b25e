"""A header that is read line by line and joined: whatever lines can be sent are a point, in which both read them."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.matchers import Exact, Matcher, Prefix, Present, Regex, Suffix
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.predicate import Header, JoinedHeader
from meshproof.compiler.smt.callers import Callers
from meshproof.compiler.smt.classes import is_match
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import TRUE, Formulas, Point
from meshproof.compiler.smt.policy import Policies, PortKey
from meshproof.compiler.smt.repeated import Repeated, add_both
from meshproof.compiler.smt.solver import Undecided

MESH = mesh_of("service api { port http 8080 }")
BY_LINE: tuple[Matcher, ...] = (Exact("a"), Prefix("a"), Suffix("b"), Exact("a,b"), Present())
JOINED: tuple[Matcher, ...] = (Exact("a"), Prefix("a"), Suffix("b"), Prefix("a,"), Regex("b+"), Exact(""))
LINES = st.lists(st.sampled_from(("", "a", "b", "ab", "a,b", "ba", "c")), max_size=3)


def environment(repeated: Repeated) -> Environment:
    policy = Policies(MESH, date(2026, 11, 23)).policy(PortKey(NodeName("api"), 8080))
    callers, formulas = Callers(MESH, ()), Formulas()
    found = Environment(policy, callers, formulas, formulas.variable(1), (1,), TRUE)
    add_both(found, "accept", BY_LINE, JOINED, repeated)
    return found


def class_of(found: Environment, text: str) -> int:
    """The one class whose matchers take the text as they take its witness."""
    single = found.singles[JoinedHeader("accept")]
    matchers = tuple(single.masks)
    (number,) = (
        number
        for number, witness in enumerate(single.classes.witnesses)
        if all(is_match(one, witness) == is_match(one, text) for one in matchers)
    )
    return number


def point_of(found: Environment, lines: list[str], joined: str | None = None) -> Point:
    """The point of a request with these lines, which are joined to this text or else as they are."""
    point = [0] * len(found.formulas.sizes)
    multiple, single = found.multiples[Header("accept")], found.singles[JoinedHeader("accept")]
    for line in lines:
        point[multiple.variables[class_of(found, line)]] = 1
    if lines:
        point[single.variable] = 1 + class_of(found, ",".join(lines) if joined is None else joined)
    point[found.repeated["accept"]] = int(len(lines) > 1)
    return tuple(point)


@given(lines=LINES)
def test_whatever_is_sent_is_a_point_in_which_both_read_it(lines: list[str]) -> None:
    found = environment(Repeated.ANY)
    point = point_of(found, lines)

    assert all(found.formulas.holds(axiom, point) for axiom in found.axioms)
    for matcher in BY_LINE:
        is_read = found.formulas.holds(found.test(Header("accept"), matcher), point)
        assert is_read == any(is_match(matcher, line) for line in lines)
    for matcher in JOINED:
        is_read = found.formulas.holds(found.test(JoinedHeader("accept"), matcher), point)
        assert is_read == (bool(lines) and is_match(matcher, ",".join(lines)))


@given(lines=LINES)
def test_without_repeated_headers_only_those_that_stand_once_are_points(lines: list[str]) -> None:
    found = environment(Repeated.ONCE)
    point = point_of(found, lines)
    assert all(found.formulas.holds(axiom, point) for axiom in found.axioms) == (len(lines) < 2)


def test_what_cannot_be_joined_is_no_point() -> None:
    """Lines that begin with no `a` are joined to no text that does, and one line is read alike."""
    found = environment(Repeated.ANY)
    for lines, joined in ((["c", "b"], "a,b"), (["a"], "c")):
        point = point_of(found, lines, joined)
        assert not all(found.formulas.holds(axiom, point) for axiom in found.axioms)


def test_who_does_not_ask_for_it_gets_no_answer() -> None:
    with pytest.raises(Undecided):
        environment(Repeated.REFUSED)
