"""TLS handshakes in memory."""

from __future__ import annotations

import ssl

from cryptography.hazmat.primitives.serialization import Encoding
from tests.unit.runtime.identity.certificates import Issued

from meshproof.runtime.identity.contexts import content_as_file
from meshproof.runtime.identity.keys import private_pem


def stranger(issued: Issued) -> ssl.SSLContext:
    """A client that shows whatever it has, however weak, and believes every server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    pem = b"".join(one.public_bytes(Encoding.PEM) for one in issued.shown)
    with content_as_file(pem + private_pem(issued.key)) as path:
        context.load_cert_chain(path)
    return context


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
