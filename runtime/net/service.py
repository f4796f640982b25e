"""The authorizer as a service: it starts whole or not at all, takes new policies, and ends with what it began."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial

from meshproof.runtime.bundle import MOST_BYTES, BundleError, load_bundle
from meshproof.runtime.extauthz.authorizer import Authorizer
from meshproof.runtime.extauthz.destinations import DestinationError
from meshproof.runtime.net.halls import AskingHall, HealthHall
from meshproof.runtime.net.journal import Journal
from meshproof.runtime.net.protocol import AskingConnection, Hall
from meshproof.runtime.settings import AuthzSettings, Listen, TlsSettings


class StartError(Exception):
    """It cannot start, or cannot take something new. The message is one lower-case sentence."""


def today() -> date:
    """The day, in UTC: what an `until` of a policy speaks of."""
    return datetime.now(UTC).date()


def load_authorizer(settings: AuthzSettings) -> Authorizer:
    """The policy of the file, for all destinations. Raises `StartError`."""
    try:
        keys = tuple(path.read_bytes() for path in settings.trusted_keys)
        with settings.bundle.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        return Authorizer(load_bundle(data, trusted_keys=keys), settings.destinations)
    except OSError as error:
        raise StartError(f"`{error.filename}` cannot be read: {error.strerror}") from None
    except (BundleError, DestinationError) as error:
        raise StartError(f"`{settings.bundle}` is refused: {error}") from None


def server_context(tls: TlsSettings) -> ssl.SSLContext:
    """TLS 1.2 and newer, with a certificate of the client. Raises `StartError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_verify_locations(tls.client_ca)
    except OSError as error:
        raise StartError(f"`{tls.client_ca}` is no authority: {error.strerror or error}") from None
    load_certificate(context, tls)
    return context


def load_certificate(context: ssl.SSLContext, tls: TlsSettings) -> None:
    """Take the certificate as it is on disk, for handshakes to come. Raises `StartError`."""
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except OSError as error:
        raise StartError(f"`{tls.certificate}` and its key are refused: {error.strerror or error}") from None


def _no_password() -> str:
    """A key with a password would make the start wait for somebody who types it."""
    return ""


class Service:
    """The running authorizer. `places` are where it listens: for Envoys, then for probes."""

    def __init__(self, settings: AuthzSettings, journal: Journal, day: Callable[[], date] = today) -> None:
        self._settings = settings
        self._journal = journal
        self._context = None if settings.listen.tls is None else server_context(settings.listen.tls)
        self._hall = AskingHall(load_authorizer(settings), settings.limits, settings.listen.tls, journal, day)
        self._health = HealthHall(self._hall)
        self._servers: list[asyncio.Server] = []
        self._reloading = asyncio.Lock()

    async def start(self) -> tuple[tuple[str, int], ...]:
        """Listen; where it does. Raises `StartError`."""
        settings = self._settings
        places = [await self._listen(settings.listen, self._hall, self._context)]
        if settings.admin is not None:
            places.append(await self._listen(settings.admin, self._health, None))
        told = {name: f"{place[0]}:{place[1]}" for name, place in zip(("listen", "admin"), places, strict=False)}
        self._journal.tell("started", policy=self._hall.authorizer.policy, **told)
        return tuple(places)

    async def reload(self) -> bool:
        """Take the policy and the certificate as they are on disk; keep the last good ones if they are not good."""
        async with self._reloading:
            try:
                authorizer = await asyncio.to_thread(load_authorizer, self._settings)
                if self._context is not None and self._settings.listen.tls is not None:
                    server_context(self._settings.listen.tls)  # tried first: a refused pair would be half taken
                    load_certificate(self._context, self._settings.listen.tls)
            except StartError as error:
                self._journal.tell("reload-refused", why=str(error), policy=self._hall.authorizer.policy)
                return False
            self._hall.authorizer = authorizer
            self._journal.tell("reloaded", policy=authorizer.policy)
            return True

    async def drain(self) -> None:
        """Take no connection any more, answer what has begun, and end."""
        self._hall.is_draining = True
        self._journal.tell("draining", connections=len(self._hall.connections))
        self._servers[0].close()
        for connection in self._hall.connections:
            connection.drain()
        await self._hall.connections.emptied(self._settings.limits.drain_seconds)
        for server in self._servers:
            server.close()
        for connection in (*self._hall.connections, *self._health.connections):
            connection.abort()
        self._journal.tell("stopped")

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
            await self._stop()
            raise StartError(f"`{listen.address}:{listen.port}` cannot be listened at: {error.strerror}") from None
        self._servers.append(server)
        name = server.sockets[0].getsockname()
        return str(name[0]), int(name[1])

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
