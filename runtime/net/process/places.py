"""Sockets at one place for several processes: the kernel gives each new connection to one of those that listen."""

from __future__ import annotations

import socket
from ipaddress import ip_address

from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.settings_run import Place


def reserved(place: Place) -> socket.socket:
    """A socket that is bound and does not listen: it keeps the place for the workers. Raises `RefusedError`.

    Port 0 becomes one that is free. No connection is ever given to it.
    """
    refuse_taken(place)
    return shared(place)


def refuse_taken(place: Place) -> None:
    """Raise `RefusedError` if somebody listens there: with SO_REUSEPORT alone, they would share the connections."""
    if place.port:
        with _made(place) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(probe, place)


def shared(place: Place) -> socket.socket:
    """A socket that is bound beside others of ours. Raises `RefusedError`."""
    found = _made(place)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    _bind(found, place)
    return found


def place_of(one: socket.socket) -> Place:
    """Where a socket is bound."""
    host, port = one.getsockname()[:2]
    return Place(str(host), int(port))


def place_of_text(text: str) -> Place:
    """The place that was written by `str`."""
    host, _, port = text.rpartition(":")
    return Place(host.strip("[]"), int(port))


def _made(place: Place) -> socket.socket:
    is_six = ip_address(place.address).version == 6  # noqa: PLR2004  the version
    found = socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_STREAM)
    found.setblocking(False)  # noqa: FBT003  the way of `socket`
    if is_six:
        found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return found


def _bind(one: socket.socket, place: Place) -> None:
    try:
        one.bind((place.address, place.port))
    except OSError as error:
        one.close()
        raise RefusedError(f"`{place}` cannot be listened at: {error.strerror}") from None
