"""Keys over time. Clocks are numbers; what is waited for is what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

from tests.strategies.minting import jwk, jwks

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.tokens.fetch import FetchError
from meshproof.runtime.tokens.keys import KeySet
from meshproof.runtime.tokens.refresher import Clocks, KeyRefresher
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.schedule import Pace

IDP = IssuerName("idp")
PATIENCE = 20.0
FIRST, SECOND = jwks(jwk("ES256")), jwks(jwk("ES256", 1))


@dataclass
class Server:
    """What an issuer publishes: keys, or an error. `gate` holds answers back."""

    answer: bytes | FetchError = FIRST
    asked: int = 0
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch(self) -> bytes:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if not self.gate.is_set():
            self.held.set()
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if isinstance(self.answer, FetchError):
            raise self.answer
        return self.answer


@dataclass
class Scene:
    server: Server
    now: float = 1000.0
    told: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def tell(self, name: IssuerName, keys: KeySet | None, why: str) -> None:
        assert name == IDP
        self.told.put_nowait(why or ",".join(str(key.kid) for key in keys.keys) if keys is not None else why)

    def refresher(self, pace: Pace) -> KeyRefresher:
        return KeyRefresher({IDP: self.server.fetch}, pace, Clocks(lambda: self.now, lambda: 0.5), self.tell)


def _run(body: Callable[[Scene], Coroutine[None, None, None]]) -> None:
    async def all_of_it() -> None:
        scene = Scene(Server())
        scene.server.gate.set()
        await body(scene)

    asyncio.run(asyncio.wait_for(all_of_it(), PATIENCE))


def test_keys_are_there_after_the_start_and_replaced_in_time() -> None:
    async def body(scene: Scene) -> None:
        refresher = scene.refresher(Pace(refresh=0.0, stale=60))
        await refresher.start()
        ring = refresher.rings[IDP]
        assert (await scene.told.get(), ring.generation) == ("ES256-0", 1)
        while await scene.told.get() == "ES256-0":
            scene.server.answer = SECOND
        assert ring.generation == 2
        assert ring.keys is not None
        assert ring.keys.knows("ES256-1")
        await refresher.stop()

    _run(body)


def test_a_start_without_keys_goes_on_and_gets_them() -> None:
    async def body(scene: Scene) -> None:
        scene.server.answer = FetchError("nobody is there")
        refresher = scene.refresher(Pace(retry=0.0))
        await refresher.start()
        assert await scene.told.get() == "nobody is there"
        ring = refresher.rings[IDP]
        assert not _has_keys(ring)
        scene.server.answer = FIRST
        while await scene.told.get() != "ES256-0":
            assert not _has_keys(ring)
        assert _has_keys(ring)
        await refresher.stop()

    _run(body)


def test_keys_stay_while_none_come_and_not_for_ever() -> None:
    async def body(scene: Scene) -> None:
        refresher = scene.refresher(Pace(stale=60))
        assert await refresher.refresh()
        for bad in (FetchError("down"), b"{}", jwks({"kty": "oct", "k": "AA"})):
            scene.server.answer = bad
            assert not await refresher.refresh()
        ring = refresher.rings[IDP]
        scene.now += 59.9
        assert _has_keys(ring)
        scene.now += 0.2
        assert not _has_keys(ring)
        scene.server.answer = FIRST
        assert await refresher.refresh()
        assert (_has_keys(ring), ring.generation) == (True, 1)

    _run(body)


def test_a_key_that_is_missed_is_fetched_soon_and_once() -> None:
    async def body(scene: Scene) -> None:
        refresher = scene.refresher(Pace(refresh=3600, cooldown=10))
        await refresher.start()
        ring = refresher.rings[IDP]
        await scene.told.get()
        ring.want()
        assert scene.server.asked == 1  # it cools down
        scene.now += 10
        scene.server.answer = SECOND
        for _ in range(100):
            ring.want()
        assert await scene.told.get() == "ES256-1"
        assert scene.server.asked == 2
        await refresher.stop()

    _run(body)


def test_there_is_one_fetch_at_a_time() -> None:
    async def body(scene: Scene) -> None:
        refresher = scene.refresher(Pace())
        scene.server.gate.clear()
        all_of_them = asyncio.gather(*(refresher.refresh() for _ in range(5)))
        await scene.server.held.wait()
        scene.server.gate.set()
        assert await all_of_them == [True] * 5
        assert (scene.server.asked, scene.server.most_at_once) == (5, 1)

    _run(body)


def test_a_fetch_that_hangs_ends_with_the_process() -> None:
    async def body(scene: Scene) -> None:
        refresher = scene.refresher(Pace(refresh=0.0))
        await refresher.start()
        scene.server.gate.clear()
        await scene.server.held.wait()
        await refresher.stop()
        assert scene.server.at_once == 0

    _run(body)


def _has_keys(ring: KeyRing) -> bool:
    return ring.keys is not None
