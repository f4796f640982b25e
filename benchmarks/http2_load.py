"""Both ends of gRPC for the benchmark of proxies: a service that echoes, in a process of its own, and who calls it.

Both are our codecs on uvloop, because a proxy that is measured must not wait for its load. Run as a program with a port
it is the service, over plaintext.
"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from statistics import quantiles

import uvloop

from meshproof.runtime.core.codec import Codec
from meshproof.runtime.core.http2.client import Http2Client
from meshproof.runtime.core.http2.limits import Http2Limits
from meshproof.runtime.core.http2.sending import Surroundings
from meshproof.runtime.core.http2.server import Http2Server
from meshproof.runtime.core.messages import ClientStream, Failure, Fields, RequestHead, ResponseHead, ServerStream
from meshproof.runtime.net.outbound_link import Link

Address = tuple[str, int]
MESSAGE = b"\0\0\0\0\x64" + b"m" * 100
ANSWERED: Fields = [(b"content-type", b"application/grpc"), (b"grpc-accept-encoding", b"identity, deflate, gzip")]
TRAILERS: Fields = [(b"grpc-status", b"0")]
ASKED: Fields = [
    (b"te", b"trailers"),
    (b"content-type", b"application/grpc"),
    (b"user-agent", b"grpc-python/1.85.3 grpc-c/53.0.0 (linux; chttp2)"),
    (b"grpc-accept-encoding", b"identity, deflate, gzip"),
]


@dataclass(frozen=True, slots=True)
class Load:
    """`calls` in all, `at_once` on each of so many `connections`; `messages` each way in one, one after another."""

    calls: int
    connections: int = 4
    at_once: int = 4
    messages: int = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """What the caller saw: seconds in all, and of one call in the middle and for the slowest of a hundred."""

    seconds: float
    median: float
    slow: float


def _fault(what: str) -> None:
    raise AssertionError(what)


class _Ends(ABC):
    """Makes the codec of a link."""

    def made(self, link: Link) -> Codec:
        """Ours, to the surroundings of this loop."""
        around = Surroundings(link, time.monotonic, asyncio.get_running_loop().call_soon, _fault)
        return self.codec(around)

    @abstractmethod
    def codec(self, around: Surroundings) -> Codec:
        """Which."""

    def received(self, link: Link) -> None:
        """Nothing."""
        del link

    def lost(self, link: Link) -> None:
        """Nothing."""
        del link


class Echo:
    """Answers each message with itself."""

    def __init__(self, stream: ServerStream, head: RequestHead) -> None:
        assert head.method == "POST"
        self._stream = stream
        stream.response(ResponseHead(200, list(ANSWERED)))

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """A message."""
        if payload:
            self._stream.data(payload, is_end=False)
        if is_end:
            self._stream.trailers(list(TRAILERS))

    def trailers(self, fields: Fields) -> None:
        """The end."""
        del fields
        self._stream.trailers(list(TRAILERS))

    def reset(self, failure: Failure) -> None:
        """The caller is gone."""

    def pause_answer(self) -> None:
        """Messages are small."""

    def resume_answer(self) -> None:
        """They are."""


class _Serving(_Ends):
    def codec(self, around: Surroundings) -> Codec:
        return Http2Server(around, Http2Limits(), Echo)


async def serve(port: int) -> None:
    """The service, until it is ended."""
    server = await asyncio.get_running_loop().create_server(lambda: Link(_Serving()), "127.0.0.1", port)
    sys.stderr.write("serving\n")
    await server.serve_forever()


class Call:
    """One call: it sends a message, and the next when the answer is there. Then it calls `done` with its seconds."""

    def __init__(self, caller: Caller, number: int) -> None:
        self._caller = caller
        self._left = caller.load.messages
        self._got = 0
        self._begun = time.perf_counter()
        fields = [*ASKED, (b"x-request-id", b"c0ffee00-16cd-43dd-8448-%012x" % number)]
        head = RequestHead("POST", "/shop.Catalog/Echo", "catalog", fields, None, is_end=False)
        self._stream: ClientStream = caller.client.request(head, self)
        self._send()

    def _send(self) -> None:
        self._left -= 1
        self._stream.data(MESSAGE, is_end=not self._left)

    def response(self, head: ResponseHead) -> None:
        """The head."""
        assert head.status == 200
        assert not head.is_end, head

    def data(self, payload: bytes, *, is_end: bool) -> None:
        """An answer, or a part of it."""
        assert not is_end
        self._got += len(payload)
        if self._got == len(MESSAGE):
            self._got = 0
            if self._left:
                self._send()

    def trailers(self, fields: Fields) -> None:
        """The end."""
        assert fields == TRAILERS
        assert not self._left
        self._caller.done(time.perf_counter() - self._begun)

    def reset(self, failure: Failure) -> None:
        """It failed."""
        self._caller.failed(failure)

    def pause_request(self) -> None:
        """Messages are small."""

    def resume_request(self) -> None:
        """They are."""


class Caller(_Ends):
    """One connection, on which calls follow each other."""

    def __init__(self, load: Load, numbers: list[int], times: list[float]) -> None:
        self.load = load
        self.client: Http2Client
        self.is_ready = asyncio.Event()
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._numbers = numbers
        self._times = times
        self._open = 0

    def codec(self, around: Surroundings) -> Codec:
        """Its end of the connection."""
        self.client = Http2Client(around, Http2Limits(), scheme=b"https")
        self.is_ready.set()
        return self.client

    def begin(self) -> None:
        """Ask."""
        for _ in range(self.load.at_once):
            self._next()

    def done(self, seconds: float) -> None:
        """One call has ended."""
        self._times.append(seconds)
        self._open -= 1
        self._next()

    def failed(self, failure: Failure) -> None:
        """One call has failed."""
        if not self.ended.done():
            self.ended.set_exception(AssertionError(failure))

    def _next(self) -> None:
        if self._numbers:
            self._open += 1
            Call(self, self._numbers.pop())
        elif not self._open and not self.ended.done():
            self.ended.set_result(None)


async def _called(address: Address, context: ssl.SSLContext | None, load: Load) -> Seen:
    loop = asyncio.get_running_loop()
    numbers, times = list(range(load.calls)), list[float]()
    callers = [Caller(load, numbers, times) for _ in range(load.connections)]
    links = []
    for caller in callers:
        name = None if context is None else "catalog"
        links.append(
            await loop.create_connection(lambda c=caller: Link(c), *address, ssl=context, server_hostname=name)
        )
        await caller.is_ready.wait()
    begun = time.perf_counter()
    for caller in callers:
        caller.begin()
    await asyncio.gather(*(caller.ended for caller in callers))
    seconds = time.perf_counter() - begun
    for _, link in links:
        link.close()
    spread = quantiles(times, n=100)
    return Seen(seconds, spread[49], spread[98])


def call(address: Address, context: ssl.SSLContext | None, load: Load) -> Seen:
    """Call the service, directly or by a proxy. Raises `AssertionError` if any call fails."""
    return uvloop.run(_called(address, context, load))


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
