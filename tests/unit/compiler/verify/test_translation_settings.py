"""What a loss says of a setting, it says of that setting alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.mesh import Mesh
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


def test_of_a_route_for_several_ports_one_may_lose_what_others_keep() -> None:
    """There the losses explain what is done with requests, and the settings stay."""
    source = mesh_of(f"{SERVICES}route b {{{ROUTE}")
    assert settled(source, _losses(source, *LOST)) == (source, ())
    assert _verdict(ROUTE, LEFT, *LOST, at="b") is TranslationVerdict.EQUAL


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
