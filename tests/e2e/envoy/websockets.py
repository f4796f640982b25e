"""A workload that takes upgrades to websockets and sends back whatever comes then, and answers all else itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\nx-workload: yes\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
UPGRADE = (("connection", "Upgrade"), ("upgrade", "websocket"))


@contextmanager
def workload(address: tuple[str, int]) -> Iterator[None]:
    """It listens until the block ends."""
    with socket.create_server(address) as server:
        thread = Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(server: socket.socket) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return
            received += piece
        if b"upgrade: websocket" not in received.lower():
            connection.sendall(PLAIN)
            return
        connection.sendall(SWITCHED)
        while piece := connection.recv(65536):
            connection.sendall(piece)
