"""The authorizer as a service: it starts whole or not at all, takes new policies, and ends with what it began."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from typing import TYPE_CHECKING

from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.identity.swapping import SwappingContext
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.halls import AskingHall, HealthHall
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.loading import load_authorizer, server_context
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.keys import IssuerKeys
from meshproof.runtime.net.protocol import AskingConnection, Hall
from meshproof.runtime.net.recording import Recording
from meshproof.runtime.revisions import RevisionError, Revisions
from meshproof.runtime.settings import AuthzSettings, Limits, Listen

if TYPE_CHECKING:
    from meshproof.runtime.net.grpc_authz import GrpcAuthz


def today() -> date:
    """The day, in UTC: what an `until` of a policy speaks of."""
    return datetime.now(UTC).date()


class Service:
    """The running authorizer. Made and used in one event loop. Raises `StartError`."""

    def __init__(self, settings: AuthzSettings, journal: Journal, day: Callable[[], date] = today) -> None:
        self._settings = settings
        self._journal = journal
        tls = None if settings.listen is None else settings.listen.tls
        self._context = None if tls is None else server_context(tls)
        try:
            self._keys = IssuerKeys(settings.tokens, _nothing, self._no_keys)
        except RefusedError as error:
            raise StartError(str(error)) from None
        self._revisions = Revisions(settings.policy)
        self._recording = Recording(settings.telemetry, journal)
        try:
            self._revisions.hold()
            authorizer = self._load()
            self._recording.open()
            self._hall = AskingHall(authorizer, settings.limits, tls, journal, day)
            self._grpc = None if settings.grpc is None else _grpc(settings.grpc, self._hall, settings.limits, day)
        except RevisionError as error:
            raise StartError(str(error)) from None
        except (StartError, ModuleNotFoundError):
            self._revisions.release()
            self._recording.close()
            raise
        self._health = HealthHall(self._hall)
        self._servers: list[asyncio.Server] = []
        self._reloading = asyncio.Lock()

    async def start(self) -> dict[str, tuple[str, int]]:
        """Listen; where it does, by the names of the settings. Raises `StartError`."""
        settings = self._settings
        await self._keys.start()
        self._recording.begin()
        places: dict[str, tuple[str, int]] = {}
        try:
            if settings.listen is not None:
                places["listen"] = await self._listen(settings.listen, self._hall, self._swapping())
            if self._grpc is not None:
                places["grpc"] = await self._grpc.start()
            if settings.admin is not None:
                places["admin"] = await self._listen(settings.admin, self._health, None)
        except StartError:
            await self._stop(0)
            raise
        told = {name: f"{place[0]}:{place[1]}" for name, place in places.items()}
        self._journal.tell("started", policy=self._hall.authorizer.policy, **told)
        self._tell_gaps()
        return places

    async def reload(self) -> bool:
        """Take policy, certificates and keys as they are on disk; keep the last good ones if they are not good."""
        async with self._reloading:
            settings = self._settings
            try:
                contexts = [
                    None if one is None or one.tls is None else server_context(one.tls)
                    for one in (settings.listen, settings.grpc)
                ]
                authorizer = await asyncio.to_thread(self._load)
                if self._grpc is not None:
                    self._grpc.reload()
            except StartError as error:
                self._journal.tell("reload-refused", why=str(error), policy=self._hall.authorizer.policy)
                return False
            self._context = contexts[0]
            self._hall.authorizer = authorizer
            await self._keys.refresh()
            self._journal.tell("reloaded", policy=authorizer.policy)
            self._tell_gaps()
            return True

    async def drain(self) -> None:
        """Take no connection any more, answer what has begun, and end."""
        self._hall.is_draining = True
        self._journal.tell("draining", connections=len(self._hall.connections))
        if self._settings.listen is not None:
            self._servers[0].close()
        for connection in self._hall.connections:
            connection.drain()
        await self._stop(self._settings.limits.drain_seconds)
        for connection in (*self._hall.connections, *self._health.connections):
            connection.abort()
        self._journal.tell("stopped")

    def _tell_gaps(self) -> None:
        for gap in self._hall.authorizer.gaps:
            self._journal.tell("gap", what=gap)

    def _load(self) -> Authorizer:
        return load_authorizer(self._settings, self._keys.rings, self._revisions.take, self._recording.tell)

    def _swapping(self) -> ssl.SSLContext | None:
        """What takes the context of the moment at each handshake."""
        if self._context is None:
            return None
        return SwappingContext.of(ssl.PROTOCOL_TLS_SERVER, self._current)

    def _current(self) -> ssl.SSLContext:
        assert self._context is not None
        return self._context

    def _no_keys(self, issuer: str, why: str) -> None:
        self._journal.tell("no-keys", issuer=issuer, why=why)

    async def _listen(self, listen: Listen, hall: Hall, context: ssl.SSLContext | None) -> tuple[str, int]:
        loop = asyncio.get_running_loop()
        try:
            server = await loop.create_server(
                partial(AskingConnection, hall, loop.time),
                listen.address,
                listen.port,
                ssl=context,
                ssl_handshake_timeout=None if context is None else self._settings.limits.head_seconds,
                ssl_shutdown_timeout=None if context is None else self._settings.limits.head_seconds,
            )
        except OSError as error:
            raise StartError(f"`{listen.address}:{listen.port}` cannot be listened at: {error.strerror}") from None
        self._servers.append(server)
        name = server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def _stop(self, seconds: float) -> None:
        await asyncio.gather(
            self._hall.connections.emptied(seconds), *(() if self._grpc is None else (self._grpc.drain(seconds),))
        )
        await self._keys.stop()
        self._revisions.release()
        self._recording.close()
        for server in self._servers:
            server.close()


def _grpc(listen: Listen, hall: AskingHall, limits: Limits, day: Callable[[], date]) -> GrpcAuthz:
    from meshproof.runtime.net.grpc_authz import GrpcAuthz  # noqa: PLC0415  grpcio is large, and HTTP does without

    if listen.tls is not None:
        server_context(listen.tls)  # says what is wrong with it, which grpcio does not
    return GrpcAuthz(hall, listen, limits, day)


def _nothing(_: object) -> None:
    """Keys are in the rings of this process already."""
