"""A service of gRPC behind two real sidecars, `front` and `catalog`, and channels to it, all on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc
from tests.unit.runtime.identity.certificates import authority, bundles, own
from tests.unit.runtime.net.material.given_files import bundle

from meshproof.compiler.ir.names import NodeName
from meshproof.runtime.net.material.identity import IdentityMaterial
from meshproof.runtime.net.material.policy import PolicyMaterial
from meshproof.runtime.net.process.places import place_of, reserved
from meshproof.runtime.net.sidecar import Sidecar
from meshproof.runtime.settings_run import (
    EndpointGroup,
    IdentityFolder,
    InboundPort,
    OutboundPort,
    Place,
    PolicyFiles,
    RunSettings,
)

MESH = """
mesh shop { language 1  trust-domain "shop.example"  namespace shop  mtls strict }
service front { port http 80 -> 8080 }
service catalog { port grpc 80 -> 8080 }
allow ask: front -> catalog:grpc { call shop.Catalog/* }
"""
CATALOG = NodeName("catalog")
LOOPBACK = Place("127.0.0.1", 0)
SECONDS = 10.0
LARGE = 3_000_000


@dataclass
class Service:
    """What is behind: `gone` is set when a call that waits has been given up by its client."""

    gone: threading.Event = field(default_factory=threading.Event)
    waits: threading.Event = field(default_factory=threading.Event)

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """The handler of a method."""
        name = details.method.rpartition("/")[2]
        return {
            "Echo": grpc.unary_unary_rpc_method_handler(self.echo),
            "Wait": grpc.unary_unary_rpc_method_handler(self.wait),
            "Fail": grpc.unary_unary_rpc_method_handler(self.fail),
            "Many": grpc.unary_stream_rpc_method_handler(self.many),
            "Gather": grpc.stream_unary_rpc_method_handler(self.gather),
            "Talk": grpc.stream_stream_rpc_method_handler(self.talk),
        }.get(name)

    def echo(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """The message, and what came with it."""
        told = dict(context.invocation_metadata())
        context.send_initial_metadata((("x-told", str(told.get("x-asked"))),))
        context.set_trailing_metadata((("x-last-bin", b"\0\xff"),))
        return request

    def wait(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Nothing, until nobody asks any more."""
        context.add_callback(self.gone.set)
        self.waits.set()
        self.gone.wait(SECONDS)
        return request

    def fail(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        """No message, only trailers."""
        context.set_code(grpc.StatusCode.FAILED_PRECONDITION)
        context.set_details(f"not {request[:5].decode()} % é")
        return b""

    def many(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        """As many messages as it says."""
        del context
        for number in range(int(request)):
            yield b"%d" % number

    def gather(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        """All of them."""
        del context
        return b",".join(requests)

    def talk(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        """An answer to each, before the next."""
        del context
        for request in requests:
            yield b"to " + request


@dataclass
class Scene:
    """All of it, while it serves."""

    service: Service
    channel: grpc.Channel
    front: Sidecar
    catalog: Sidecar
    loop: asyncio.AbstractEventLoop
    stop: Callable[[], None]

    def call(self, method: str, message: bytes, **options: object) -> bytes:
        """A unary call."""
        asked: bytes = self.channel.unary_unary(f"/shop.Catalog/{method}")(message, **{"timeout": SECONDS, **options})
        return asked

    def drain(self) -> Future[None]:
        """Let the sidecar of `catalog` end."""
        return asyncio.run_coroutine_threadsafe(self.catalog.drain(SECONDS), self.loop)


@contextmanager
def serving(policy: str = MESH) -> Iterator[Scene]:
    """A service, two sidecars in a thread of their own, and a channel to the one of `front`."""
    service = Service()
    with ThreadPoolExecutor(8) as threads:
        server = grpc.server(threads, options=(("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", -1)))
        server.add_generic_rpc_handlers((service,))
        behind = Place("127.0.0.1", server.add_insecure_port("127.0.0.1:0"))
        server.start()
        with _sidecars(policy, behind) as (front, catalog, outbound, loop):
            options = (("grpc.max_receive_message_length", -1), ("grpc.use_local_subchannel_pool", 1))
            with grpc.insecure_channel(str(outbound), options) as channel:
                yield Scene(service, channel, front, catalog, loop, lambda: server.stop(0).wait() and None)
        service.gone.set()
        server.stop(0).wait()


@contextmanager
def _sidecars(policy: str, behind: Place) -> Iterator[tuple[Sidecar, Sidecar, Place, asyncio.AbstractEventLoop]]:
    kept = [reserved(LOOPBACK), reserved(LOOPBACK)]
    outbound, inbound = map(place_of, kept)
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        front, catalog = runner.run(_started(policy, outbound, inbound, behind))
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            yield front, catalog, outbound, loop
        finally:
            for one in (front, catalog):
                asyncio.run_coroutine_threadsafe(one.drain(1), loop).result(SECONDS)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            for each in kept:
                each.close()


async def _started(policy: str, outbound: Place, inbound: Place, behind: Place) -> tuple[Sidecar, Sidecar]:
    root = authority()
    settings = RunSettings(
        NodeName("front"),
        PolicyFiles(Path("policy.json")),
        IdentityFolder(Path()),
        outbound=(OutboundPort(CATALOG, 8080, outbound),),
        endpoints=(EndpointGroup(CATALOG, 8080, None, (inbound,)),),
    )
    front = Sidecar(settings, (outbound,), _nobody)
    settings = replace(
        settings, service=CATALOG, outbound=(), endpoints=(), inbound=(InboundPort(8080, inbound, behind),)
    )
    catalog = Sidecar(settings, (inbound,), _nobody)
    for one, name in ((front, "front"), (catalog, "catalog")):
        await one.take_policy(PolicyMaterial(bundle(policy)))
        credentials = own(root.account(f"/ns/shop/sa/{name}"), bundles(("shop.example", root)))
        one.take_identity(IdentityMaterial.of(credentials))
    for one in (catalog, front):
        await one.serve()
    return front, catalog


def _nobody(issuer: str) -> None:
    raise AssertionError(f"nobody has keys of {issuer}")
