"""Mutual TLS by the package `ssl` alone, one connection after the other: what OpenSSL takes of a handshake."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import suppress
from pathlib import Path

from meshproof.runtime.identity.contexts import server_context
from meshproof.runtime.identity.files import SvidFolder


def main() -> None:
    """Serve until killed; `argv[1]` is the folder of an SVID. Where it listens is said on standard error."""
    context = server_context(SvidFolder(Path(sys.argv[1])).read().credentials())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stderr.write(json.dumps({"event": "started", "port": listening.getsockname()[1]}) + "\n")
        sys.stderr.flush()
        while True:
            accepted, _ = listening.accept()
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(OSError), context.wrap_socket(accepted, server_side=True) as secured:
                if secured.recv(1024):
                    secured.sendall(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")


if __name__ == "__main__":
    main()
