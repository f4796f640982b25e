"""What a link does that only sockets can show."""

from __future__ import annotations

import asyncio
from math import inf

import pytest

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
        self.heard += bytes(data)
        if len(self.heard) == 1:
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
