"""Requests as bytes: what a client may send that no library lets it."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

TIMEOUT = 20.0


@dataclass(frozen=True, slots=True)
class Way:
    """How to come to a listener: from which address, and with which TLS and server name."""

    address: tuple[str, int]
    source: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    server_name: str | None = None

    def open(self) -> socket.socket:
        """The connection. Raises `OSError` where it is refused, `ssl.SSLError` among them."""
        plain = socket.create_connection(self.address, TIMEOUT, (self.source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tls is None:
            return plain
        return self.tls.wrap_socket(plain, server_hostname=self.server_name)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; status 0 where the connection was refused or ended before one came."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.headers if key == name), None)


def ask(way: Way, request: bytes) -> Reply:
    """Send the bytes of a request and read what comes back."""
    try:
        with way.open() as connection:
            connection.sendall(request)
            received = _until_end_of_headers(connection)
    except (OSError, EOFError):
        return Reply(0)
    head = received.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in head[1:])
    return Reply(int(head[0].split(" ")[1]), tuple((name.lower(), value.strip()) for name, _, value in fields))


def _until_end_of_headers(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            raise EOFError
        received += piece
    return received


def echoes(way: Way, data: bytes) -> bool:
    """Whether a connection is let through to what sends everything back."""
    try:
        with way.open() as connection:
            connection.sendall(data)
            return connection.recv(1) == data[:1]
    except OSError:
        return False


def client_hello(server_name: str | None) -> bytes:
    """The first bytes of a TLS client."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    sent = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), sent, server_hostname=server_name).do_handshake()
    except ssl.SSLWantReadError:
        return sent.read()
    raise AssertionError("a handshake needs an answer")


def message(method: str, path: str, host: str, headers: tuple[tuple[str, str], ...] = ()) -> bytes:
    """A request over HTTP/1.1 that asks to end the connection."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers)]
    return "\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1")
