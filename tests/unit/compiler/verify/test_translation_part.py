"""Where several judge parts of one policy, each is compared with the policy at its own ports and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.transport import LiftedTransport
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.verify.semantic_diff_values import Undecided
from meshproof.compiler.verify.translation import Translation, TranslationOptions, TranslationVerdict, translation
from meshproof.compiler.verify.translation_connections import connection_gaps
from meshproof.compiler.verify.translation_part import WHOLE, Part

DAY = date(2026, 11, 23)
UNTIL = '{ because "moving in" until 2027-01-31 }'
POLICY = """
service web { port http 8080 }
service pay { port http 9000  port admin http 9001 }
allow a: web -> pay:http { GET /x }
allow b: web -> pay:admin { GET /y }
"""
SOURCE = mesh_of(POLICY)
PORTS = frozenset(((NodeName("pay"), 9000),))
INSIDE, OUTSIDE = Part(PORTS, is_inside=True), Part(PORTS)


def _judged(lifted: Mesh, part: Part) -> Translation:
    return translation(SOURCE, lifted, (), DAY, TranslationOptions(part=part))


def test_each_port_is_in_one_of_the_parts() -> None:
    for port in (9000, 9001, 4711):
        name = NodeName("pay")
        assert INSIDE.has(name, port) is not OUTSIDE.has(name, port)
        assert WHOLE.has(name, port)
    assert INSIDE.has(NodeName("pay"), 9000)


def test_what_differs_elsewhere_is_no_matter() -> None:
    opened = mesh_of(POLICY + "allow c: web -> pay:http")
    closed = mesh_of(POLICY.replace("allow b", "allow q").replace("GET /y", "GET /z"))
    assert _judged(opened, INSIDE).verdict is TranslationVerdict.WRONG
    assert _judged(opened, INSIDE).looser
    assert _judged(opened, OUTSIDE).verdict is TranslationVerdict.EQUAL
    assert _judged(closed, OUTSIDE).verdict is TranslationVerdict.WRONG
    assert _judged(closed, INSIDE).verdict is TranslationVerdict.EQUAL


def test_a_port_that_is_nowhere_is_not_equal() -> None:
    """Whether the node is not there, or does not declare it."""
    nobody = replace(SOURCE, services=tuple(one for one in SOURCE.services if one.name != "pay"), rules=())
    assert _judged(nobody, INSIDE).verdict is TranslationVerdict.UNKNOWN
    portless = tuple(replace(one, ports=()) for one in SOURCE.services)
    assert _judged(replace(SOURCE, services=portless, rules=()), INSIDE).verdict is TranslationVerdict.WRONG


def test_connections_are_compared_at_the_same_ports() -> None:
    permissive = mesh_of(f"{POLICY}mtls permissive for pay:http {UNTIL}")
    inside = connection_gaps(SOURCE, permissive, None, (), DAY, INSIDE)
    assert [getattr(one, "is_looser", None) for one in inside] == [True]
    assert connection_gaps(SOURCE, permissive, LiftedTransport(closed=_every()), (), DAY, OUTSIDE) == ()


def test_who_says_nothing_of_connections_is_asked_only_for_the_rest() -> None:
    assert connection_gaps(SOURCE, SOURCE, None, (), DAY, INSIDE) == ()
    (told,) = (one for one in connection_gaps(SOURCE, SOURCE, None, (), DAY, OUTSIDE) if isinstance(one, Undecided))
    assert told.subject == "connections"


def _every() -> frozenset[NodeName]:
    return frozenset(one.name for one in SOURCE.services)
