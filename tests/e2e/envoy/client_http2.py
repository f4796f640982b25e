"""A request over HTTP/2 with every field as it is given, whether or not a library would let it be sent."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, Event, ResponseReceived, StreamReset
from tests.e2e.envoy.client import Reply, Way

_STREAM = 1


def ask_http2(way: Way, method: str, path: str, host: str, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
    """Send a request without a body and read the status and headers that come back."""
    pseudo = ((":method", method), (":scheme", "https"), (":authority", host), (":path", path))
    sent = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*pseudo, *headers)]
    try:
        with way.open() as connection:
            return _answered(connection, sent)
    except (OSError, EOFError):
        return Reply(0)


def _answered(connection: socket.socket, sent: list[tuple[bytes, bytes]]) -> Reply:
    own = H2Connection(H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False))
    own.initiate_connection()
    own.send_headers(_STREAM, sent, end_stream=True)
    connection.sendall(own.data_to_send())
    for event in _events(connection, own):
        if isinstance(event, ResponseReceived):
            fields = tuple((_text(one[0]), _text(one[1])) for one in event.headers)
            return Reply(int(dict(fields)[":status"]), fields)
        if isinstance(event, StreamReset | ConnectionTerminated):
            return Reply(0)
    raise EOFError


def _events(connection: socket.socket, own: H2Connection) -> Iterator[Event]:
    while piece := connection.recv(65536):
        yield from own.receive_data(piece)
        connection.sendall(own.data_to_send())


def _text(field: bytes | str) -> str:
    return field if isinstance(field, str) else field.decode("latin-1")
