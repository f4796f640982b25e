"""The work of one process of a sidecar: what `process.child` tells it to do, and the connections of both halves."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, date, datetime
from functools import partial

from meshproof.compiler.ir.json_text import Json
from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.bundle import Loaded
from meshproof.runtime.core.http1_client import ClientRules
from meshproof.runtime.core.http1_fields import Http1Limits
from meshproof.runtime.core.http1_server import ServerRules, ServerTimes
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.net.inbound import Inbound
from meshproof.runtime.net.inbound_port import Surroundings
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.identity import IdentityMaterial, load_identity
from meshproof.runtime.net.material.policy import PolicyMaterial, load_policy, own_identities
from meshproof.runtime.net.outbound import Outbound, OutboundGiven
from meshproof.runtime.net.outbound_dial import Dialer, DialTimes
from meshproof.runtime.net.outbound_upstream import CodecRules, Upstreams
from meshproof.runtime.settings_run import Place, RunLimits, RunSettings
from meshproof.runtime.telemetry.making import make_sink, make_tracer
from meshproof.runtime.telemetry.metrics.snapshot import dump
from meshproof.runtime.tokens.keys import KeysError, key_set
from meshproof.runtime.tokens.ring import KeyRing

_TICK_SECONDS = 0.25
_LAST_SECONDS = 1.0
_LEAVE_SECONDS = 1.0


def _today() -> date:
    """The day in UTC, which is what an `until` of a policy speaks of."""
    return datetime.now(UTC).date()


class Sidecar:
    """A `process.child.Work`."""

    def __init__(self, settings: RunSettings, places: tuple[Place, ...], want: Callable[[IssuerName], None]) -> None:
        """Raises `SettingError` where a log cannot be written."""
        loop = asyncio.get_running_loop()
        limits = settings.limits
        clock, wall = time.monotonic, time.time
        self._settings = settings
        self._want = want
        self._loop = loop
        self._sink = make_sink(settings.telemetry, settings.service, Journal(_tell).tell)
        self._identities = Identities(wall)
        self._dialer = Dialer(
            self._identities, DialTimes(limits.connect_seconds, limits.handshake_seconds), self._sink.fault
        )
        self._http2 = _http2_limits(limits)
        http1 = _http1_limits(limits)
        client = ClientRules(clock, Http1Limits(takes_underscores=True), limits.stall_seconds)
        rules = CodecRules(client, self._http2, self._sink.fault)
        self._upstreams = Upstreams(self._dialer, rules)
        around = Surroundings(
            identities=self._identities,
            telemetry=self._sink,
            tracer=make_tracer(settings.telemetry),
            dialer=self._dialer,
            rules=ServerRules(clock, self._sink.fault, http1, _times(limits)),
            http2=self._http2,
            clock=clock,
            wall=wall,
            handshake_seconds=limits.handshake_seconds,
            idle_seconds=limits.idle_seconds,
        )
        count = len(settings.inbound)
        self._inbound = Inbound(settings, places[:count], around, self._upstreams, loop, _today)
        given = OutboundGiven(
            settings, places[count:], self._identities, self._sink, loop, wall, random.random, _today, around.tracer
        )
        self._outbound = Outbound(given) if settings.outbound else None
        self._rings: dict[IssuerName, KeyRing] = {}
        self._loaded: Loaded | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0

    # What the parent tells.

    async def take_policy(self, material: PolicyMaterial) -> None:
        """Go by this policy. It is read and indexed beside the event loop, which serves meanwhile."""
        loaded = await asyncio.to_thread(load_policy, material, self._settings)
        mesh = loaded.bundle.mesh
        for issuer in mesh.issuers:
            if issuer.name not in self._rings:
                self._rings[issuer.name] = KeyRing(time.monotonic, partial(self._want, issuer.name))
        self._inbound.keep_keys(self._rings)
        if self._outbound is not None:
            self._outbound.take_policy(loaded)  # it may refuse, and then nothing has changed
        self._inbound.adopt(loaded)
        self._loaded = loaded
        self._sink.policy(mesh, loaded.bundle.policy)

    def take_identity(self, material: IdentityMaterial) -> None:
        """Be this in handshakes that begin from now on; connections with those who are not trusted any more end."""
        loaded = self._loaded
        assert loaded is not None, "the policy comes first"
        own = load_identity(material, own_identities(loaded.bundle.mesh, self._settings.service))
        try:
            self._identities.take(own)
        except CredentialsError as error:
            raise RefusedError(str(error)) from None
        self._sink.certificate(own.identity.uri, own.ends)
        self._inbound.prove_again()
        if self._outbound is not None:
            self._outbound.took_identity()

    def take_keys(self, issuer: IssuerName, text: bytes, seconds: float) -> None:
        """Verify tokens of the issuer by these keys."""
        ring = self._rings.get(issuer)
        if ring is None:
            ring = self._rings[issuer] = KeyRing(time.monotonic, partial(self._want, issuer))
        try:
            ring.put(key_set(text), time.monotonic() + seconds)
        except KeysError as error:
            raise RefusedError(f"the keys of `{issuer}`: {error}") from None

    async def serve(self) -> None:
        """Listen."""
        self._tick()
        if self._outbound is not None:
            await self._outbound.start()
        self._inbound.listen()

    async def drain(self, seconds: float) -> None:
        """Take nothing new, end what has begun, cut what is not over in time, and write what is to be logged."""
        self._inbound.drain()
        leaving: list[Coroutine[None, None, object]] = [self._inbound.emptied(seconds)]
        if self._outbound is not None:
            leaving.append(self._outbound.drain(seconds))
        await asyncio.gather(*leaving)
        self._inbound.abort()
        await self._inbound.emptied(_LEAVE_SECONDS)
        self._upstreams.abort()
        if self._ticking is not None:
            self._ticking.cancel()
        self._sink.close(_LAST_SECONDS)

    def report(self) -> tuple[dict[str, Json], bytes]:
        """How it is."""
        policy = None if self._loaded is None else self._loaded.bundle.policy
        connections: dict[str, Json] = {
            "inbound": len(self._inbound.room),
            "outbound": 0 if self._outbound is None else self._outbound.connections,
        }
        return {"policy": policy, "connections": connections}, dump(self._sink.snapshot())

    def _tick(self) -> None:
        self._ticking = self._loop.call_later(_TICK_SECONDS, self._tick)
        now, wall = time.monotonic(), time.time()
        self._inbound.tick(now, wall)
        self._upstreams.tick(now, wall)
        self._ticks += 1
        if self._ticks % round(1 / _TICK_SECONDS) == 0:
            self._sink.tick(wall, now)


def make_sidecar(
    number: int, settings: RunSettings, places: tuple[Place, ...], want: Callable[[IssuerName], None]
) -> Sidecar:
    """The `process.child.Make` of sidecars. Raises `SettingError` where a log cannot be written."""
    del number
    return Sidecar(settings, places, want)


def _http1_limits(limits: RunLimits) -> Http1Limits:
    return Http1Limits(limits.head_bytes, limits.headers, limits.body_bytes or None)


def _http2_limits(limits: RunLimits) -> Http2Limits:
    return Http2Limits(
        streams=limits.streams,
        header_bytes=limits.head_bytes,
        headers=limits.headers,
        body_bytes=limits.body_bytes or None,
        stall_seconds=limits.stall_seconds,
        idle_seconds=limits.idle_seconds,
    )


def _times(limits: RunLimits) -> ServerTimes:
    return ServerTimes(head=limits.head_seconds, stall=limits.stall_seconds, idle=limits.idle_seconds)


def _tell(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()
