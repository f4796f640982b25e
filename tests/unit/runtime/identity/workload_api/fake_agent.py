"""An agent of the Workload API at a Unix socket, which gives what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import grpc

from meshproof.runtime.identity.workload_api.messages import FETCH_BUNDLES, FETCH_SVIDS


@dataclass
class FakeAgent:
    """`say` sends to every stream that is open or will be: bytes of an answer, a status, or None for the end."""

    said: asyncio.Queue[bytes | grpc.StatusCode | None] = field(default_factory=asyncio.Queue)
    asked: list[tuple[str, bytes]] = field(default_factory=list)

    def say(self, *answers: bytes | grpc.StatusCode | None) -> None:
        for one in answers:
            self.said.put_nowait(one)

    async def answer(self, request: bytes, context: grpc.aio.ServicerContext, method: str) -> AsyncIterator[bytes]:
        """A stream."""
        if ("workload.spiffe.io", "true") not in tuple(context.invocation_metadata()):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "security header missing from request")
        self.asked.append((method, request))
        while (one := await self.said.get()) is not None:
            if isinstance(one, grpc.StatusCode):
                await context.abort(one, "said so")
            yield one


class _Methods(grpc.GenericRpcHandler):  # type: ignore[misc]
    def __init__(self, agent: FakeAgent) -> None:
        self._agent = agent

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        method = handler_call_details.method
        if method not in (FETCH_SVIDS, FETCH_BUNDLES):
            return None
        return grpc.unary_stream_rpc_method_handler(partial(self._agent.answer, method=method))


@asynccontextmanager
async def listening(socket: Path, agent: FakeAgent) -> AsyncIterator[None]:
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((_Methods(agent),))
    server.add_insecure_port(f"unix:{str(socket).replace('%', '%25').replace(' ', '%20')}")
    await server.start()
    try:
        yield
    finally:
        await server.stop(0)
