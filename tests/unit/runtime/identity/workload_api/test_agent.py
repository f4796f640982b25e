from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from tests.unit.runtime.identity.certificates import NOW, Issued, authority, own
from tests.unit.runtime.identity.certificates import bundles as trusted
from tests.unit.runtime.identity.handshakes import shake
from tests.unit.runtime.identity.workload_api.fake_agent import FakeAgent, listening
from tests.unit.runtime.identity.workload_api.wire import bundles, chain, svid, svids

from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.bundles import TrustBundles
from meshproof.runtime.identity.holder import Identities
from meshproof.runtime.identity.svid import Credentials
from meshproof.runtime.identity.workload_api.agent import MOST_BYTES, Agent
from meshproof.runtime.identity.workload_api.answers import bundles_of, credentials_of
from meshproof.runtime.identity.workload_api.messages import FETCH_BUNDLES, FETCH_SVIDS

FRONT = SpiffeId("shop.example", "/ns/shop/sa/front")
CATALOG = SpiffeId("shop.example", "/ns/shop/sa/catalog")


@pytest.fixture(scope="module")
def root() -> Issued:
    return authority()


class Scene:
    """What a client of an agent took, was told and waited."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "a%20 b.sock"
        self.agent = FakeAgent()
        self.taken: asyncio.Queue[Credentials] = asyncio.Queue()
        self.told: asyncio.Queue[str] = asyncio.Queue()
        self.pauses: list[float] = []

    def take(self, data: bytes) -> None:
        self.taken.put_nowait(credentials_of(data, (FRONT,)))

    async def pause(self, seconds: float) -> None:
        """No test waits: the next attempt begins when a test lets it."""
        self.pauses.append(seconds)
        await asyncio.sleep(0)

    @asynccontextmanager
    async def client(self, method: str = FETCH_SVIDS, first_seconds: float = 30.0) -> AsyncIterator[None]:
        agent = Agent(self.socket, self.take, self.told.put_nowait, method, self.pause)
        running = asyncio.create_task(agent.run(first_seconds))
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def _run(body: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with asyncio.timeout(10):
            await body()

    asyncio.run(whole())


def test_each_answer_of_a_stream_is_taken_by_handshakes_that_begin_after_it(scene: Scene, root: Issued) -> None:
    identities = Identities(lambda: NOW)
    server = identities.server()
    caller = Identities(lambda: NOW)
    caller.take(own(root.account(CATALOG.path), trusted(("shop.example", root))))
    issued = [root.account(FRONT.path) for _ in range(2)]

    def shown() -> int:
        _, at_caller = shake(server, caller.client())
        caller.peer(at_caller, {FRONT})
        certificate = at_caller.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)

    async def body() -> None:
        async with listening(scene.socket, scene.agent), scene.client():
            for one in issued:
                scene.agent.say(svids(svid(FRONT.uri, one, root)))
                identities.take(await scene.taken.get())
                assert shown() == one.certificate.serial_number

    _run(body)
    assert scene.agent.asked == [(FETCH_SVIDS, b"")]
    assert scene.told.empty()


def test_what_is_not_good_is_told_and_the_stream_goes_on(scene: Scene, root: Issued) -> None:
    good = svids(svid(FRONT.uri, root.account(FRONT.path), root))

    async def body() -> None:
        async with listening(scene.socket, scene.agent), scene.client():
            scene.agent.say(b"\x0a\x05x", svids(), good)
            await scene.taken.get()

    _run(body)
    assert [scene.told.get_nowait() for _ in range(2)] == [
        "the agent has sent something that is no X509SVIDResponse",
        "the agent has no identity for this process",
    ]
    assert len(scene.agent.asked) == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (None, "has ended its stream"),
        (grpc.StatusCode.PERMISSION_DENIED, "has no identity for this process"),
        (grpc.StatusCode.UNAVAILABLE, "is not there"),
        (grpc.StatusCode.INVALID_ARGUMENT, "answers with `INVALID_ARGUMENT`"),
        (b"x" * (MOST_BYTES + 1), f"sends more than {MOST_BYTES} bytes"),
    ],
)
def test_a_stream_that_ends_is_begun_again(
    scene: Scene, root: Issued, answer: bytes | grpc.StatusCode | None, why: str
) -> None:
    good = svids(svid(FRONT.uri, root.account(FRONT.path), root))

    async def body() -> None:
        async with listening(scene.socket, scene.agent), scene.client():
            scene.agent.say(good, answer)
            assert await scene.told.get() == f"the agent at `{scene.socket}` {why}"
            await scene.taken.get()
            scene.agent.say(good)
            await scene.taken.get()

    _run(body)
    assert len(scene.agent.asked) == 2
    assert len(scene.pauses) == 1
    assert 0.25 <= scene.pauses[0] <= 0.5


def test_an_agent_that_comes_late_and_starts_again_is_found(scene: Scene, root: Issued) -> None:
    good = svids(svid(FRONT.uri, root.account(FRONT.path), root))

    async def body() -> None:
        async with scene.client():
            for _ in range(2):
                assert await scene.told.get() == f"the agent at `{scene.socket}` is not there"
            for _ in range(2):
                async with listening(scene.socket, scene.agent):
                    scene.agent.say(good)
                    await scene.taken.get()

    _run(body)
    assert len(scene.agent.asked) == 2


def test_who_listens_and_gives_nothing_is_asked_anew(scene: Scene) -> None:
    async def body() -> None:
        async with listening(scene.socket, scene.agent), scene.client(first_seconds=0.05):
            for _ in range(2):
                assert await scene.told.get() == f"the agent at `{scene.socket}` has given nothing for 0.05 seconds"

    _run(body)


def test_who_speaks_something_else_is_told(scene: Scene) -> None:
    async def body() -> None:
        async with listening(scene.socket, scene.agent), scene.client(method="/Other/Method"):
            assert await scene.told.get() == f"the agent at `{scene.socket}` speaks no Workload API"

    _run(body)


def test_bundles_are_followed_too(scene: Scene, root: Issued) -> None:
    found: asyncio.Queue[TrustBundles] = asyncio.Queue()
    scene.take = lambda data: found.put_nowait(bundles_of(data))  # type: ignore[method-assign]

    async def body() -> None:
        async with listening(scene.socket, scene.agent), scene.client(FETCH_BUNDLES):
            scene.agent.say(bundles({"spiffe://shop.example": chain(root.certificate)}))
            assert (await found.get()).trust_domains == ("shop.example",)

    _run(body)
    assert scene.agent.asked == [(FETCH_BUNDLES, b"")]


def test_what_take_raises_beside_a_refusal_is_not_passed_over(scene: Scene) -> None:
    def broken(_: bytes) -> None:
        raise ZeroDivisionError

    scene.take = broken  # type: ignore[method-assign, assignment]

    async def body() -> None:
        scene.agent.say(b"x")
        async with listening(scene.socket, scene.agent):
            agent = Agent(scene.socket, scene.take, scene.told.put_nowait, pause=scene.pause)
            with pytest.raises(ZeroDivisionError):
                await agent.run()

    _run(body)
    assert scene.told.empty()
