"""What a route does to traffic besides sending it is compared too."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.strategies.building import branch, mesh, port, route_to, rule, service, target
from tests.strategies.policy_text import mesh_of

from meshproof.compiler.ir.entities import Layer, Protocol
from meshproof.compiler.ir.routing import Settings
from meshproof.compiler.verify.semantic_diff import semantic_diff
from meshproof.compiler.verify.semantic_diff_values import Change, DiffRegion

DAY = date(2026, 11, 23)
SHOP = "service web { port http 80 }  service api { port http 80  versions v1 }  allow use: web -> api:http\n"


def rerouted(before: str, after: str) -> tuple[DiffRegion, ...]:
    old, new = (mesh_of(f"{SHOP} route api:http {{ otherwise => v1\n{one} }}") for one in (before, after))
    found = semantic_diff(old, new, DAY)
    assert all(one.change is Change.REROUTED for one in found.regions)
    return found.regions


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("fault delay 2s 5%", ("fault delay 2s 5%",)),
        ("fault abort 503 50%", ("fault abort 503 50%",)),
        ('cors { origins "https://a.example"  credentials }', ("cors origins https://a.example credentials",)),
        ("limit connections 1, requests 2", ("limit connections 1, requests 2",)),
        ("eject after 5 errors for 30s up to 50%", ("eject after 5 errors for 30s up to 50%",)),
        ('balance hash header "x-user"', ('balance hash header "x-user"',)),
    ],
)
def test_it_is_told_as_the_language_writes_it(written: str, shown: tuple[str, ...]) -> None:
    (added,) = rerouted("", written)
    assert added.after is not None
    assert added.after.settings == shown
    (gone,) = rerouted(written, "")
    assert gone.before is not None
    assert gone.before.settings == shown
    assert rerouted(written, written) == ()


def test_another_share_is_another_fault() -> None:
    (found,) = rerouted("fault abort 503 50%", "fault abort 503 100%")
    assert found.witness is not None
    assert found.before is not None
    assert found.before.settings == ("fault abort 503 50%",)


def test_edits_of_different_headers_have_no_order() -> None:
    one, other = 'set header "x-a" "1"', 'remove header "x-b"'
    assert rerouted(f"{one} {other}", f"{other} {one}") == ()
    add = 'add header "x-a" "2"'
    assert rerouted(f"{one} {add}", f"{add} {one}") != ()


def test_what_is_answered_has_no_timeout() -> None:
    old, new = (
        mesh_of(f"{SHOP} route api:http {{ /old => {{ redirect 301 path /new {one} }}  otherwise => v1 }}")
        for one in ("", "timeout 2s retry 2 on reset within 1s")
    )
    assert semantic_diff(old, new, DAY).regions == ()


def test_what_becomes_a_connection_has_no_path_to_rewrite() -> None:
    """Files of others may have a route for a port that carries requests in one version and connections in the next."""
    old = replace(mesh(rule()), gateways=())
    rewritten = branch(None, target(), settings=Settings(rewrite_path="/v1"))
    old = replace(old, routes=(route_to(service().name, rewritten, port=8080),))
    opaque = service("shop", port(layer=Layer.TCP, protocol=Protocol.TCP))
    (region,) = semantic_diff(old, replace(old, services=(opaque,)), DAY).rerouted

    assert region.operations == ("* /** except /v1",)
    assert region.before is not None
    assert region.before.settings == ("rewrite path /v1",)
