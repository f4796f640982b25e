"""One connection to the own workload, from the end of its handshake to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

from meshproof.compiler.ir.decision import Decision
from meshproof.compiler.ir.entities import Layer
from meshproof.runtime.core.codec import Codec, ServerCodec
from meshproof.runtime.core.codec_choice import FirstBytes
from meshproof.runtime.core.exchange import Surroundings as ExchangeSurroundings
from meshproof.runtime.core.http1_server import Http1Server
from meshproof.runtime.core.http2.sending import Surroundings as Http2Surroundings
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import ConnectionRecord, Side
from meshproof.runtime.engine.errors import EngineError
from meshproof.runtime.engine.facts import Wire
from meshproof.runtime.identity.errors import PeerError
from meshproof.runtime.net.inbound_desk import InboundDesk
from meshproof.runtime.net.inbound_port import Port, asked_name
from meshproof.runtime.net.outbound_link import Link
from meshproof.runtime.net.tcp_relay import Relay, RelayLink

_REFUSED = "the policy refuses a connection"
_FLAG = "UAEX"


class InboundConnection:
    """Proves who calls before anything is read, chooses what is spoken, and looks after it to its end."""

    __slots__ = ("_desk", "_ends", "_left", "_port", "_record", "_relay", "link")

    def __init__(self, port: Port, left: Callable[[InboundConnection], None]) -> None:
        """`left` is called at its end."""
        self._port = port
        self._left = left
        self._ends = inf
        self._desk: InboundDesk | None = None
        self._relay: Relay | None = None
        self._record: ConnectionRecord | None = None
        self.link = RelayLink(self)  # the policy may say TCP by the time the handshake is over

    # What its link tells.

    def made(self, link: Link) -> Codec | None:
        """It stands: who calls, and whether they may."""
        port = self._port
        if port.is_draining:
            return None
        secured = link.known("ssl_object")
        caller = None
        if secured is not None:
            try:
                proven = port.around.identities.peer(secured)
            except PeerError as error:
                port.fault(f"a caller was refused: {error.reason}")
                return None
            caller, self._ends = proven.identity.uri, proven.ends
        name = asked_name(secured)
        peer = link.known("peername")
        host, number = (str(peer[0]), int(peer[1])) if isinstance(peer, tuple) else ("", 0)
        wire = Wire(ip=host or None, sni=name)
        record = self._record = ConnectionRecord(
            side=Side.INBOUND,
            local=port.local,
            service=port.policy.node.name,
            port=port.policy.port,
            peer=f"[{host}]:{number}" if ":" in host else f"{host}:{number}",
            identity=caller,
            local_identity=port.policy.own,
            is_tls=secured is not None,
            sni=name,
            opened=port.around.clock(),
        )
        return self._judged(link, record, wire, secured)

    def lost(self, link: Link) -> None:
        """Forget it."""
        del link
        record = self._record
        if record is not None:
            record.closed = self._port.around.clock()
            self._port.around.telemetry.closed(record)
        self._left(self)

    # What looks after it.

    def tick(self, now: float, wall: float) -> None:
        """End what took too long. A certificate that is over ends its connection after what is on its way."""
        codec = self.link.codec
        if codec is None:
            return
        if codec.deadline <= now:
            codec.expire()
        if self._ends < wall:
            self._ends = inf
            self._port.fault("the certificate of a caller is over")
            self._end(codec)

    def judge_again(self) -> None:
        """Another policy, or another day: end it if it may not be any more."""
        codec = self.link.codec
        if codec is None or self._record is None:
            return
        stands = self._stands_over_tcp(self._record) if self._desk is None else self._desk.stands()
        if not stands:
            self._port.fault(_REFUSED)
            self.link.abort()

    def prove_again(self) -> None:
        """Others are trusted now: end it if the caller is nobody any more."""
        secured = self.link.known("ssl_object")
        if secured is None or self.link.codec is None:
            return
        try:
            self._ends = self._port.around.identities.peer(secured).ends
        except PeerError as error:
            self._port.fault(f"a caller was refused: {error.reason}")
            self.link.abort()

    def drain(self) -> None:
        """End after what has begun; connections over TCP end when their ends want it."""
        codec = self.link.codec
        if codec is not None:
            codec.drain()

    # Inside.

    def _end(self, codec: Codec) -> None:
        if self._relay is None:
            codec.drain()
        else:
            self.link.abort()

    def _judged(self, link: Link, record: ConnectionRecord, wire: Wire, secured: object) -> Codec | None:
        port = self._port
        if port.policy.layer is Layer.TCP:
            return self._over_tcp(record)
        desk = self._desk = InboundDesk(port, record.identity, wire)
        if not desk.stands():
            self._refused(record, desk.refused)
            return None
        around = port.around
        chosen = secured.selected_alpn_protocol() if hasattr(secured, "selected_alpn_protocol") else None
        if chosen is None:
            codec: ServerCodec = FirstBytes(link, around.clock, around.rules.times.head, self._told)
        else:
            codec = self._http(is_http2=chosen == "h2")
        around.telemetry.opened(record)
        return codec

    def _told(self, is_http2: bool) -> ServerCodec:  # noqa: FBT001  a callback with one meaning
        """The first bytes have said what is spoken: all others go to its codec straight."""
        codec = self._http(is_http2=is_http2)
        self.link.adopt(codec)
        return codec

    def _http(self, *, is_http2: bool) -> ServerCodec:
        port, record, desk = self._port, self._record, self._desk
        assert record is not None
        assert desk is not None
        around = port.around
        loop = asyncio.get_running_loop()
        shared = ExchangeSurroundings(record, desk, around.telemetry, around.clock, loop.call_later)
        if not is_http2:
            return Http1Server(self.link, around.rules, shared.open)
        record.protocol = "h2"
        told = Http2Surroundings(self.link, around.clock, loop.call_soon, port.fault)
        return Http2Server(told, around.http2, shared.open)

    def _over_tcp(self, record: ConnectionRecord) -> Codec | None:
        port = self._port
        record.protocol = "tcp"
        if not self._stands_over_tcp(record):
            self._refused(record, record.decision)
            return None
        port.around.telemetry.opened(record)
        self._relay = relay = Relay(self.link, record, port.around.clock, port.around.idle_seconds)
        relay.begin(port.around.dialer, port.application)
        return relay

    def _refused(self, record: ConnectionRecord, decision: Decision | None) -> None:
        """Tell of a connection on which nothing was asked: whatever is spoken there, nobody has read it."""
        self._record = None
        port = self._port
        port.fault(_REFUSED)
        record.protocol, record.flags = "tcp", _FLAG
        record.decision, record.policy = decision, port.policy.digest
        record.closed = port.around.clock()
        port.around.telemetry.opened(record)
        port.around.telemetry.closed(record)

    def _stands_over_tcp(self, record: ConnectionRecord) -> bool:
        port = self._port
        policy = port.policy
        host = record.peer.rpartition(":")[0].strip("[]")
        wire = Wire(ip=host or None, sni=record.sni)
        try:
            place = (policy.node.name, policy.port)
            decision = policy.engine.connect(wire, record.identity, place, port.day).decide_connection({})
            if policy.audits is not None:
                met = policy.audits.connect(wire, record.identity, place, port.day).decide_connection({})
                record.audited = met.determined_by
        except EngineError:
            return False
        record.decision = decision
        record.policy = policy.digest
        return decision.is_allowed
