"""TLS handshakes in memory."""

from __future__ import annotations

import ssl


def shake(
    server: ssl.SSLContext, client: ssl.SSLContext, host: str | None = None, session: ssl.SSLSession | None = None
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """A finished handshake: the server's side and the client's. Raises `ssl.SSLError` of the side that refuses."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_side=False, server_hostname=host, session=session)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (asking, answering):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    answering.write(b"x")
    assert asking.read(1) == b"x"  # the tickets of TLS 1.3 come with what is read
    return answering, asking
