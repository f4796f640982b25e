"""What a link does that only sockets can show."""

from __future__ import annotations

import asyncio
import socket
import ssl
from math import inf

import pytest
from tests.unit.runtime.identity.certificates import authority, bundles, own
from tests.unit.runtime.identity.handshakes import stranger

from meshproof.runtime.identity.contexts import server_context
from meshproof.runtime.net.loop import loop_factory
from meshproof.runtime.net.outbound_link import Link


class Refusing:
    """A codec that answers what comes first with its last word, and keeps what comes after it."""

    deadline = inf
    is_idle = True

    def __init__(self, link: Link) -> None:
        self.link = link
        self.heard = b""
        self.ended = asyncio.Event()

    def receive(self, data: memoryview | bytes) -> None:
        is_first = not self.heard
        self.heard += bytes(data)
        if is_first:
            self.link.write(b"no")
            self.link.end_writing()
            self.link.end_writing()

    def eof(self) -> None:
        self.link.close()
        self.link.end_writing()

    def lost(self) -> None:
        self.link.end_writing()
        self.ended.set()

    def pause_writing(self) -> None:
        assert self.link.codec is self

    def resume_writing(self) -> None:
        assert self.link.codec is self

    def expire(self) -> None:
        assert self.link.codec is self

    def drain(self) -> None:
        assert self.link.codec is self


class Ends:
    """Keeps the codec of its link."""

    def made(self, link: Link) -> Refusing:
        self.codec = Refusing(link)
        return self.codec

    def received(self, link: Link) -> None:
        assert link.codec is self.codec

    def lost(self, link: Link) -> None:
        assert link.codec is None


@pytest.mark.parametrize("make", [asyncio.new_event_loop, loop_factory()])
def test_a_half_that_has_ended_is_heard_and_the_other_goes_on(make: object) -> None:
    async def body() -> None:
        ends = Ends()
        server = await asyncio.get_running_loop().create_server(lambda: Link(ends), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"a")
        assert await reader.read() == b"no"
        writer.write(b"bcd")
        writer.write_eof()
        await ends.codec.ended.wait()
        assert ends.codec.heard == b"abcd"
        writer.close()
        server.close()

    with asyncio.Runner(loop_factory=make) as runner:  # type: ignore[arg-type]
        runner.run(asyncio.wait_for(body(), 30))


@pytest.mark.parametrize("after", [0, 50_000], ids=["silent", "talking"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("make", [asyncio.new_event_loop, loop_factory()])
def test_over_tls_a_peer_is_told_of_the_end_at_once_and_heard_to_its_own(
    make: object, version: ssl.TLSVersion, after: int
) -> None:
    root = authority()
    context = server_context(own(root.account("/ns/shop/sa/catalog"), bundles(("shop.example", root))))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    client = stranger(root.account("/ns/shop/sa/front"))
    client.minimum_version = client.maximum_version = version

    def asked(place: tuple[str, int]) -> bytes:
        with socket.create_connection(place, 10) as plain, client.wrap_socket(plain) as secured:
            secured.sendall(b"a" + b"b" * after)
            found = b"".join(iter(lambda: secured.recv(100), b""))  # an end without `close_notify` would raise
            secured.sendall(b"cd")
            return found

    async def body() -> None:
        ends = Ends()
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Link(ends), "127.0.0.1", 0, ssl=context)
        assert await asyncio.to_thread(asked, server.sockets[0].getsockname()) == b"no"
        await ends.codec.ended.wait()
        assert ends.codec.heard == b"a" + b"b" * after + b"cd"
        server.close()

    with asyncio.Runner(loop_factory=make) as runner:  # type: ignore[arg-type]
        runner.run(asyncio.wait_for(body(), 30))
