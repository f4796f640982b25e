from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tests.unit.runtime.core.traffic.scenes import Clock

from meshproof.runtime.core.traffic.endpoints import Address
from meshproof.runtime.net.resolving import MOST_ADDRESSES, Resolver, SystemLookup, Watched

ONE, TWO = Address("192.0.2.1", 80), Address("192.0.2.2", 80)


class Names:
    """A resolver that answers when a test says so."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.questions: list[asyncio.Future[Sequence[Address]]] = []
        self.told: list[tuple[Address, ...]] = []
        self.failures: list[str] = []
        watched = Watched("back.example", 80, self.told.append, self.failures.append)
        self.resolver = Resolver(watched, self._lookup, self.clock, 30)

    async def _lookup(self, name: str, port: int) -> Sequence[Address]:
        assert (name, port) == ("back.example", 80)
        self.questions.append(asyncio.get_running_loop().create_future())
        return await self.questions[-1]

    async def answer(self, *addresses: Address) -> None:
        await self._turn()
        self.questions[-1].set_result(addresses)
        await self._turn()

    async def fail(self) -> None:
        await self._turn()
        self.questions[-1].set_exception(OSError("nobody knows"))
        await self._turn()

    async def _turn(self) -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    @property
    def waits(self) -> list[float]:
        return [one.at - self.clock.now for one in self.clock.waiting]


def played(play: Callable[[Names], Awaitable[None]]) -> None:
    async def whole() -> None:
        names = Names()
        names.resolver.start()
        await play(names)
        names.resolver.stop()

    asyncio.run(whole())


def test_it_asks_again_after_a_while_and_tells_what_is_new() -> None:
    async def play(names: Names) -> None:
        await names.answer(TWO, ONE, TWO)
        assert (names.told, names.waits) == ([(ONE, TWO)], [30])
        names.clock.pass_by(30)
        await names.answer(ONE, TWO)
        assert names.told == [(ONE, TWO)]
        names.clock.pass_by(30)
        await names.answer(TWO)
        assert names.told == [(ONE, TWO), (TWO,)]

    played(play)


def test_the_last_good_answer_holds_and_after_a_failure_it_asks_sooner_then_less_soon() -> None:
    async def play(names: Names) -> None:
        await names.answer(ONE)
        names.clock.pass_by(30)
        waits = []
        for number in range(7):
            await (names.fail() if number % 2 else names.answer())
            waits += names.waits
            names.clock.pass_by(30)
        assert waits == [1, 2, 4, 8, 16, 30, 30]
        assert (names.told, len(names.failures)) == ([(ONE,)], 7)
        await names.answer(TWO)
        assert (names.told[-1], names.waits) == ((TWO,), [30])

    played(play)


def test_a_question_that_hangs_is_the_only_one() -> None:
    async def play(names: Names) -> None:
        await names.answer(ONE)
        names.clock.pass_by(30)
        await asyncio.sleep(0)
        names.clock.pass_by(3000)
        await asyncio.sleep(0)
        assert (len(names.questions), names.told) == (2, [(ONE,)])

    played(play)


def test_of_very_many_addresses_the_same_ones_are_used_everywhere() -> None:
    async def play(names: Names) -> None:
        many = [Address(f"10.0.{number // 256}.{number % 256}", 80) for number in range(1000)]
        await names.answer(*reversed(many))
        assert names.told == [tuple(sorted(many)[:MOST_ADDRESSES])]

    played(play)


def test_after_its_end_nothing_is_asked_or_told() -> None:
    async def play(names: Names) -> None:
        await names.answer(ONE)
        names.resolver.stop()
        names.clock.pass_by(100)
        await asyncio.sleep(0)
        assert (len(names.questions), names.waits) == (1, [])

    played(play)


def test_the_resolver_of_the_system_knows_this_machine() -> None:
    async def play() -> None:
        lookup = SystemLookup()
        assert Address("127.0.0.1", 81) in await lookup("127.0.0.1", 81)
        lookup.close()

    asyncio.run(play())
