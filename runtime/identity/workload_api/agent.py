"""An agent at a Unix socket, asked for as long as the process lives: what it sends is passed on as it comes.

Whatever is wrong with it or with what it sends is told, and it is asked again. What was taken before stays in use until
it is over by itself (docs/adr/0242).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import random
from urllib.parse import quote

import grpc

from meshproof.runtime.identity.errors import CredentialsError
from meshproof.runtime.identity.workload_api.messages import FETCH_SVIDS, REQUEST
from meshproof.runtime.identity.workload_api.pauses import Pauses

MOST_BYTES = 4_194_304
"""The largest message that is taken."""

_METADATA = (("workload.spiffe.io", "true"),)
_OPTIONS = (
    ("grpc.max_receive_message_length", MOST_BYTES),
    ("grpc.enable_retries", 0),  # it is asked again here, with pauses of ours
    ("grpc.enable_http_proxy", 0),
    ("grpc.use_local_subchannel_pool", 1),  # no connection, and no pause, is shared with an earlier one
    ("grpc.default_authority", "localhost"),
)
_SAID = {
    grpc.StatusCode.UNAVAILABLE: "is not there",
    grpc.StatusCode.PERMISSION_DENIED: "has no identity for this process",
    grpc.StatusCode.UNIMPLEMENTED: "speaks no Workload API",
    grpc.StatusCode.RESOURCE_EXHAUSTED: f"sends more than {MOST_BYTES} bytes",
}


class Agent:
    """One stream of an agent, begun again whenever it ends.

    `take` gets the bytes of each answer, in order, and raises `CredentialsError` for what is not good; `tell` gets a
    sentence about each trouble, the same one again while it goes on.
    """

    def __init__(
        self,
        socket: Path,
        take: Callable[[bytes], object],
        tell: Callable[[str], object],
        method: str = FETCH_SVIDS,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._socket = socket
        self._take = take
        self._tell = tell
        self._method = method
        self._pause = pause

    async def run(self, first_seconds: float = 30.0) -> None:
        """Until it is cancelled. An agent that gives nothing for `first_seconds` is asked anew."""
        pauses = Pauses()
        now = asyncio.get_running_loop().time
        while True:
            began = now()
            was_good = await self._stream(first_seconds)
            await self._pause(pauses.ended(now() - began, random(), was_good=was_good))  # noqa: S311  no secret

    async def _stream(self, first_seconds: float) -> bool:
        """Follow one stream to its end; whether anything of it was taken."""
        was_good = False
        target = f"unix:{quote(str(self._socket))}"
        async with grpc.aio.insecure_channel(target, options=_OPTIONS) as channel:
            call = channel.unary_stream(self._method)(REQUEST, metadata=_METADATA)
            try:
                async with asyncio.timeout(first_seconds):
                    data = await call.read()
                while data is not grpc.aio.EOF:
                    was_good = self._taken(data) or was_good
                    data = await call.read()
                self._trouble("has ended its stream")
            except TimeoutError:
                self._trouble(f"has given nothing for {first_seconds:g} seconds")
            except grpc.aio.AioRpcError as error:
                self._trouble(_SAID.get(error.code(), f"answers with `{error.code().name}`"))
        return was_good

    def _taken(self, data: bytes) -> bool:
        try:
            self._take(data)
        except CredentialsError as error:
            self._tell(str(error))
            return False
        return True

    def _trouble(self, what: str) -> None:
        self._tell(f"the agent at `{self._socket}` {what}")
