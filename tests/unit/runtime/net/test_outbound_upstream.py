"""What all connections to servers keep to, whatever is spoken on them."""

from __future__ import annotations

from tests.unit.runtime.core.http2.ends import Turn, Wire

from meshproof.runtime.core.http1_client import ClientRules
from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.frames import ACK, SETTINGS, write_frame, write_settings
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.net.outbound_upstream import CodecRules


def test_a_connection_of_http2_that_nobody_uses_ends_as_one_of_http1_does() -> None:
    """Or it stays until the server ends it, in the moment in which a request is sent on it."""
    turn, wire = Turn(), Wire()
    given = Http2Limits(streams=3, idle_seconds=3600.0)
    rules = CodecRules(ClientRules(turn.clock, idle=60.0), given, turn.faults.append)
    assert rules.http2.streams == 3
    codec = Http2Client(turn.around(wire), rules.http2, scheme=b"https")
    codec.receive(write_settings(()) + write_frame(SETTINGS, ACK, 0))
    turn.now += 59.0
    codec.expire()
    assert codec.capacity
    turn.now += 2.0
    assert codec.deadline <= turn.now
    codec.expire()
    turn.run()
    assert wire.is_closed
