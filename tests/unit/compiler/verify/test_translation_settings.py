"""What a loss says of a setting, it says of that setting alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.entities import Destination
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.routing import Route
from meshproof.compiler.verify.translation import TranslationVerdict, translation
from meshproof.compiler.verify.translation_settings import settled

DAY = date(2026, 11, 23)
SERVICES = """
service a {}
service b { port http 80 -> 8080  port more http 81 -> 8081  versions v1, v2 }
allow x: a -> b
"""
ROUTE = """
    otherwise => v1 95%, v2 5%
    retry 2 on reset, refused within 1s
    limit connections 10, pending 5
    balance least-request
}
"""
LEFT = """
    otherwise => v1 95%, v2 5%
    retry 2 on refused within 1s
    limit connections 10
}
"""
LOST = ("retry reset", "limit pending", "balance")


def _losses(mesh: Mesh, *settings: str, direction: Direction = Direction.UNKEPT) -> tuple[Loss, ...]:
    (route,) = mesh.routes
    return (Loss(Feature.LIMITS, direction, route.id, "why", route.origin, settings=settings),)


def _verdict(written: str, emitted: str, *settings: str, at: str = "b:http") -> TranslationVerdict:
    source = mesh_of(f"{SERVICES}route {at} {{{written}")
    losses = _losses(source, *settings) if settings else ()
    return translation(source, mesh_of(f"{SERVICES}route {at} {{{emitted}"), losses, DAY).verdict


def test_what_is_listed_need_not_be_there() -> None:
    """Nothing else is missing."""
    assert _verdict(ROUTE, LEFT) is TranslationVerdict.WRONG
    assert _verdict(ROUTE, LEFT, *LOST) is TranslationVerdict.EQUAL


@pytest.mark.parametrize("left_out", LOST)
def test_each_has_to_be_listed(left_out: str) -> None:
    """Others explain nothing of it."""
    assert _verdict(ROUTE, LEFT, *(one for one in LOST if one != left_out)) is TranslationVerdict.WRONG


@pytest.mark.parametrize(
    ("said", "instead"),
    [("v1 95%, v2 5%", "v1 5%, v2 95%"), ("on refused", "on 503"), ("connections 10", "pending 10")],
)
def test_whatever_else_the_route_does_is_compared(said: str, instead: str) -> None:
    """A loss of a setting is no licence for another."""
    assert _verdict(ROUTE, LEFT.replace(said, instead), *LOST) is TranslationVerdict.WRONG


def _of_two_ports(here: str, there: str, *losses: Loss) -> TranslationVerdict:
    """One route in the policy, and in what was emitted one for each port."""
    source = mesh_of(f"{SERVICES}route b {{{ROUTE}")
    lifted = mesh_of(f"{SERVICES}route b:http {{{here} route b:more {{{there}")
    return translation(source, lifted, losses, DAY).verdict


HERE = (Destination(NodeName("b"), (8080,)),)


def _lost_at(*places: Destination, settings: tuple[str, ...] = LOST) -> tuple[Loss, ...]:
    (loss,) = _losses(mesh_of(f"{SERVICES}route b {{{ROUTE}"), *settings)
    return tuple(replace(loss, at=place) for place in places)


def test_of_a_route_for_several_ports_one_may_lose_what_others_keep() -> None:
    """A loss at a port says nothing of the others."""
    assert _verdict(ROUTE, LEFT, *LOST, at="b") is TranslationVerdict.EQUAL
    assert _of_two_ports(LEFT, ROUTE, *_lost_at(*HERE)) is TranslationVerdict.EQUAL
    assert _of_two_ports(LEFT, LEFT, *_lost_at(*HERE)) is TranslationVerdict.WRONG
    assert _of_two_ports(ROUTE, ROUTE, *_lost_at(*HERE)) is TranslationVerdict.WRONG
    assert _of_two_ports(LEFT, ROUTE, *_lost_at(*HERE, settings=LOST[1:])) is TranslationVerdict.WRONG


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("v1 95%, v2 5%", "v1 5%, v2 95%"),
        ("v1 95%, v2 5%", "v1"),
        ("on refused", "on 503"),
        ("retry 2", "retry 3"),
        ("within 1s", "within 2s"),
        ("limit", "timeout 3s limit"),
        ("limit", 'set header "x" "y" limit'),
        ("limit connections 10", "limit connections 11"),
    ],
)
def test_whatever_else_a_route_for_several_ports_does_is_compared(said: str, instead: str) -> None:
    """At the port that loses something, and at the others."""
    kept = ROUTE.replace("reset, refused", "refused, reset")
    here, there = LEFT.replace(said, instead), kept.replace(said, instead)
    assert (here, there) != (LEFT, kept)
    assert _of_two_ports(here, ROUTE, *_lost_at(*HERE)) is TranslationVerdict.WRONG
    assert _of_two_ports(LEFT, there, *_lost_at(*HERE)) is TranslationVerdict.WRONG


def test_a_port_with_a_route_of_its_own_loses_what_that_has() -> None:
    """And the route of the others is not for it."""
    source = mesh_of(f"{SERVICES}route b {{{ROUTE} route b:more {{ otherwise => v2 }}")
    losses = tuple(replace(one, subject="b") for one in _lost_at(*HERE))
    found, dealt_with = settled(source, losses)
    assert dealt_with == losses
    assert [(route.id, route.port, route.limits is None) for route in found.routes] == [
        ("b", 8080, False),
        ("b:more", 8081, True),
    ]


def test_what_a_route_loses_explains_no_refusal() -> None:
    """Though a route for every port has the name of its node."""
    source = mesh_of(f"{SERVICES}route b {{{ROUTE}")
    (loss,) = _losses(source, "retry", direction=Direction.STRICTER)
    assert loss.subject == "b"
    refusing = replace(settled(source, (loss,))[0], rules=())
    assert translation(source, refusing, (loss,), DAY).verdict is TranslationVerdict.WRONG


def test_without_reasons_nothing_is_tried_again() -> None:
    """Nor where all of it is lost."""
    source = mesh_of(f"{SERVICES}route b:http {{{ROUTE}")

    def route(*settings: str) -> Route:
        found, losses = settled(source, _losses(source, *settings, direction=Direction.STRICTER))
        assert losses
        return found.routes[0]

    (branch,) = route("retry reset", "retry refused").branches
    assert branch.settings.retry is None
    assert route("retry").branches == (branch,)
    assert route("limit connections", "limit pending").limits is None
    assert replace(route("balance"), balance=source.routes[0].balance) == source.routes[0]
