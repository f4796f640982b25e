"""Sockets at one place."""

from __future__ import annotations

import socket

import pytest

from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.process.places import place_of, place_of_text, reserved, shared
from meshproof.runtime.settings_run import Place

ANY = Place("127.0.0.1", 0)


def test_workers_share_what_is_reserved_and_nothing_else_answers_there() -> None:
    with reserved(ANY) as kept:
        place = place_of(kept)
        with socket.socket() as early, pytest.raises(ConnectionRefusedError):
            early.connect((place.address, place.port))
        with shared(place) as one, shared(place) as other, socket.socket() as caller:
            one.listen()
            other.listen()
            caller.connect((place.address, place.port))
            assert caller.getpeername() == (place.address, place.port)


def test_what_somebody_else_listens_at_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=True) as other:
        place = place_of(other)
        with pytest.raises(RefusedError, match=f"`{place}` cannot be listened at: Address already in use"):
            reserved(place)


@pytest.mark.parametrize("place", [Place("127.0.0.1", 80), Place("::1", 443), Place("10.0.0.1", 0)])
def test_a_place_is_what_it_was_when_it_is_read(place: Place) -> None:
    assert place_of_text(str(place)) == place
