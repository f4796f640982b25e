"""The authorizer over gRPC: `envoy.service.auth.v3.Authorization/Check`, and gRPC's health service beside it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import grpc

from meshproof.runtime.core.http1 import Fault
from meshproof.runtime.extauthz.answer import refused
from meshproof.runtime.extauthz.check import (
    HEALTH,
    SERVICE,
    CheckError,
    Question,
    check_bytes,
    health_answer,
    health_question,
)
from meshproof.runtime.net.errors import StartError
from meshproof.runtime.net.grpc_callers import CallerCertificates
from meshproof.runtime.net.halls import AskingHall
from meshproof.runtime.settings import Limits, Listen, TlsSettings

Context = Any
"""`grpc.aio.ServicerContext`; grpcio has no types."""

FAREWELL_SECONDS = 5.0
"""How long those who watch its health may take to hear of its end, whatever `drain_seconds` is."""


class GrpcAuthz:
    """One listener, which answers by the authorizer of a hall. Without sockets until `start`."""

    def __init__(self, hall: AskingHall, listen: Listen, limits: Limits, today: Callable[[], date]) -> None:
        self._hall = hall
        self._listen = listen
        self._limits = limits
        self._today = today
        self._callers = CallerCertificates()
        self._fresh: object = None
        self._ending = asyncio.Event()
        self._watching = 0
        self._server: Any = None

    async def start(self) -> tuple[str, int]:
        """Listen; where it does. Raises `StartError`."""
        listen, limits = self._listen, self._limits
        self._server = grpc.aio.server(options=_options(limits), maximum_concurrent_rpcs=limits.connections)
        self._server.add_generic_rpc_handlers((self._checks(), self._probes()))
        place = f"[{listen.address}]" if ":" in listen.address else listen.address
        try:
            if listen.tls is None:
                port = self._server.add_insecure_port(f"{place}:{listen.port}")
            else:
                port = self._server.add_secure_port(f"{place}:{listen.port}", self._credentials(listen.tls))
        except RuntimeError:
            raise StartError(f"`{listen.address}:{listen.port}` cannot be listened at over gRPC") from None
        await self._server.start()
        return listen.address, port

    def reload(self) -> None:
        """Take certificate, key and `client_ca` as they are on disk, for handshakes to come. Raises `StartError`."""
        if self._listen.tls is not None:
            self._fresh = _configuration(self._listen.tls)

    async def drain(self, seconds: float) -> None:
        """Take no question any more, answer those that have come, tell those who watch, and end.

        It ends as soon as nothing is open, and after `seconds` with whatever is; after `FAREWELL_SECONDS` if that is
        longer and somebody watches, who would be cut off before `NOT_SERVING` otherwise.
        """
        self._ending.set()
        if self._server is not None:
            await self._server.stop(max(seconds, FAREWELL_SECONDS) if self._watching else seconds)

    def _checks(self) -> Any:  # noqa: ANN401
        return grpc.method_handlers_generic_handler(
            SERVICE, {"Check": grpc.unary_unary_rpc_method_handler(self._check)}
        )

    def _probes(self) -> Any:  # noqa: ANN401
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._health),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }
        return grpc.method_handlers_generic_handler(HEALTH, methods)

    def _credentials(self, tls: TlsSettings) -> Any:  # noqa: ANN401
        return grpc.dynamic_ssl_server_credentials(_configuration(tls), self._taken, require_client_authentication=True)

    def _taken(self) -> object:
        """What handshakes use from now on; None: what they have used. A thread of gRPC's asks before each."""
        fresh, self._fresh = self._fresh, None
        return fresh

    async def _check(self, data: bytes, context: Context) -> bytes:
        authorizer = self._hall.authorizer
        if self._listen.tls is not None and not self._listen.tls.takes(_uris(context)):
            self._hall.fault(Fault(403, "its certificate is of nobody who may ask"))
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "nobody who may ask")
        try:
            answer = authorizer.check(Question(data), self._callers.uris, self._today())
        except CheckError as error:
            self._hall.fault(Fault(400, str(error)))
            answer = refused("malformed")
        self._hall.note(answer)
        return check_bytes(answer, authorizer.policy)

    async def _health(self, data: bytes, context: Context) -> bytes:
        if not _is_served(data):
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return health_answer(is_serving=not self._hall.is_draining)

    async def _watch(self, data: bytes, context: Context) -> AsyncIterator[bytes]:
        self._watching += 1
        context.add_done_callback(self._heard)
        if not _is_served(data):
            yield health_answer(is_serving=None)
            return
        if not self._hall.is_draining:
            yield health_answer(is_serving=True)
            await self._ending.wait()
        yield health_answer(is_serving=False)

    def _heard(self, _: Context) -> None:
        """One who watched has its status too, or is gone."""
        self._watching -= 1


def _options(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("grpc.so_reuseport", 0),  # a second authorizer at the same place is an error
        ("grpc.max_receive_message_length", limits.head_bytes),
        ("grpc.max_metadata_size", limits.head_bytes),
        ("grpc.max_connection_idle_ms", limits.idle_seconds * 1000),
        ("grpc.handshake_timeout_ms", limits.head_seconds * 1000),
        ("grpc.compression_enabled_algorithms_bitset", 1),
    ]


def _configuration(tls: TlsSettings) -> object:
    try:
        pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
        found: object = grpc.ssl_server_certificate_configuration([pair], tls.client_ca.read_bytes())
    except OSError as error:
        raise StartError(f"`{error.filename}` cannot be read: {error.strerror}") from None
    return found


def _uris(context: Context) -> tuple[str, ...]:
    """The URIs of the certificate of who asks."""
    return tuple(one.decode("latin-1") for one in context.auth_context().get("peer_uri", ()))


def _is_served(data: bytes) -> bool:
    try:
        return health_question(data) in {"", SERVICE}
    except CheckError:
        return False
