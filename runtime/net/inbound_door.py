"""Where connections to the own workload come in: TLS, plaintext, or either by the first byte, as the policy says."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from functools import partial

from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.net.inbound_connection import InboundConnection
from meshproof.runtime.net.inbound_port import Port
from meshproof.runtime.net.room import Room

_BACKLOG = 1024
_AT_ONCE = 32
_HANDSHAKE = 0x16
"""The first byte of TLS; no request of HTTP begins with it."""
_REST_SECONDS = 0.5
_SILENT_SECONDS = 1.0
"""After which a caller of a TCP port who says nothing is one of a protocol whose server speaks first: no TLS."""
_LEAVE_SECONDS = 2.0
_NOW = struct.pack("ii", 1, 0)


class Door:
    """Lets connections in, within bounds that count those whose handshake is not over."""

    def __init__(self, port: Port, listening: socket.socket, room: Room[InboundConnection], most: int) -> None:
        self._port = port
        self._socket = listening
        self._room = room
        self._most = most
        self._loop = asyncio.get_running_loop()
        self._greeted: dict[socket.socket, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = False

    def open(self) -> None:
        """Listen."""
        self._socket.listen(_BACKLOG)
        self._is_open = True
        self._loop.add_reader(self._socket.fileno(), self._accept)

    def close(self) -> None:
        """Let nobody in any more."""
        if self._is_open:
            self._is_open = False
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            for one in tuple(self._greeted):
                self._forget(one)
                one.close()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                one, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                self._rest()
                return
            one.setblocking(False)  # noqa: FBT003  the way of `socket`
            if len(self._room) + len(self._greeted) >= self._most:
                self._port.fault("there are too many connections")
                _refuse(one)
            else:
                self._greet(one)

    def _rest(self) -> None:
        """There are no descriptors left: others end, and then there are."""
        self._port.fault("there are no descriptors left for connections")
        self._loop.remove_reader(self._socket.fileno())
        self._loop.call_later(_REST_SECONDS, self._reopen)

    def _reopen(self) -> None:
        if self._is_open:
            self._loop.add_reader(self._socket.fileno(), self._accept)

    def _greet(self, one: socket.socket) -> None:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        match self._port.mode:
            case MtlsMode.STRICT:
                self._take(one, is_tls=True)
            case MtlsMode.DISABLED:
                self._take(one, is_tls=False)
            case MtlsMode.PERMISSIVE:
                self._loop.add_reader(one.fileno(), self._heard, one)
                is_tcp = self._port.policy.layer is Layer.TCP
                seconds = _SILENT_SECONDS if is_tcp else self._port.around.handshake_seconds
                self._greeted[one] = self._loop.call_later(seconds, self._silent, one)

    def _heard(self, one: socket.socket) -> None:
        """The first byte is there, or the end."""
        try:
            first = one.recv(1, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._forget(one)
        if first:
            self._take(one, is_tls=first[0] == _HANDSHAKE)
        else:
            one.close()

    def _silent(self, one: socket.socket) -> None:
        self._forget(one)
        if self._port.policy.layer is Layer.TCP:
            self._take(one, is_tls=False)
        else:
            self._port.fault("it does not say anything in time")
            _refuse(one)

    def _forget(self, one: socket.socket) -> None:
        self._loop.remove_reader(one.fileno())
        self._greeted.pop(one).cancel()

    def _take(self, one: socket.socket, *, is_tls: bool) -> None:
        connection = InboundConnection(self._port, self._room.discard)
        self._room.add(connection)
        task = self._loop.create_task(self._shake(one, connection, is_tls=is_tls))
        self._tasks.add(task)
        task.add_done_callback(partial(self._shaken, connection))

    def _shaken(self, connection: InboundConnection, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if connection.link.codec is None:
            self._room.discard(connection)

    async def _shake(self, one: socket.socket, connection: InboundConnection, *, is_tls: bool) -> None:
        seconds = self._port.around.handshake_seconds
        try:
            context = self._port.context() if is_tls else None
            await self._loop.connect_accepted_socket(
                lambda: connection.link,
                one,
                ssl=context,
                ssl_handshake_timeout=None if context is None else seconds,
                ssl_shutdown_timeout=None if context is None else _LEAVE_SECONDS,
            )
        except CredentialsError:
            self._port.fault("there is no valid identity of our own to show")
            _refuse(one)
        except ssl.SSLError as error:
            self._port.fault(f"a handshake failed: {_reason(error)}")
        except (OSError, TimeoutError):
            self._port.fault("a handshake did not come to its end")


_REASONS = {
    "HTTP_REQUEST": "it is no TLS",
    "WRONG_VERSION_NUMBER": "it is no TLS",
    "UNSUPPORTED_PROTOCOL": "its version of TLS is too old",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "it shows no certificate",
}


def _reason(error: ssl.SSLError) -> str:
    return _REASONS.get(error.reason or "", "it is not as we ask")


def _refuse(one: socket.socket) -> None:
    """With a reset, so that nothing of it is kept."""
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NOW)
    one.close()
