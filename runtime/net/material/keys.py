"""The keys of issuers: fetched once for all workers, in the parent."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from functools import partial

from meshproof.compiler.ir.names import IssuerName
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.files import Watch
from meshproof.runtime.net.material.framing import frame_of_keys
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.settings_run import TokenKeys
from meshproof.runtime.tokens.fetch import FetchError, address_of, fetch, read_file
from meshproof.runtime.tokens.keys import KeysError, KeySet, key_set
from meshproof.runtime.tokens.refresher import Clocks, Fetch, KeyRefresher
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.schedule import Pace

_SECONDS = 10.0
"""For one fetch over the net, from first to last."""

Refused = Callable[[str, str], None]
Clock = Callable[[], float]


class IssuerKeys:
    """`changed` is called with the frame of keys that came; `refused` with an issuer and why none came, once a reason.

    Keys that cannot be fetched anew are good for an hour, in the workers too: then tokens of their issuer are refused.
    """

    def __init__(
        self,
        tokens: tuple[TokenKeys, ...],
        changed: Callable[[Frame], None],
        refused: Refused,
        clock: Clock = time.monotonic,
    ) -> None:
        self._changed = changed
        self._refused = refused
        self._clock = clock
        self._pace = Pace()
        self._texts: dict[IssuerName, bytes] = {}
        self._good: dict[IssuerName, tuple[bytes, float]] = {}
        self._trouble: dict[IssuerName, str] = {}
        self._watch = Watch(one.file for one in tokens if one.file is not None)
        self._refresher = KeyRefresher(
            self._sources(tokens), self._pace, Clocks(clock, random.SystemRandom().random), self._tell
        )

    @property
    def frames(self) -> tuple[Frame, ...]:
        """What gives the keys that are known to a worker that starts now, for the time that is left of them."""
        now = self._clock()
        return tuple(
            frame_of_keys(name, text, until - now) for name, (text, until) in self._good.items() if until > now
        )

    @property
    def rings(self) -> Mapping[IssuerName, KeyRing]:
        """For who verifies tokens in this process."""
        return self._refresher.rings

    @property
    def troubles(self) -> Mapping[str, str]:
        """Why the last fetch of an issuer's keys failed."""
        return {str(name): why for name, why in self._trouble.items()}

    @property
    def known(self) -> tuple[IssuerName, ...]:
        """The issuers some of whose keys are good now."""
        now = self._clock()
        return tuple(name for name, (_, until) in self._good.items() if until > now)

    async def start(self) -> None:
        """Fetch all once, whatever comes, and go on until `stop`."""
        await self._refresher.start()

    async def refresh(self) -> bool:
        """Fetch all now; whether all have come."""
        self._watch.has_changed()
        return await self._refresher.refresh()

    async def look(self) -> None:
        """Fetch if a file has changed."""
        if self._watch.has_changed():
            await self._refresher.refresh()

    def want(self, issuer: IssuerName) -> None:
        """A worker misses a key: fetch soon, but not more often than is bearable."""
        ring = self._refresher.rings.get(issuer)
        if ring is not None:
            ring.want()

    async def stop(self) -> None:
        """End."""
        await self._refresher.stop()

    def _sources(self, tokens: tuple[TokenKeys, ...]) -> dict[IssuerName, Fetch]:
        return {one.issuer: partial(self._fetched, one.issuer, _source(one)) for one in tokens}

    async def _fetched(self, issuer: IssuerName, source: Fetch) -> bytes:
        text = self._texts[issuer] = await source()
        return text

    def _tell(self, issuer: IssuerName, keys: KeySet | None, why: str) -> None:
        if keys is None:
            if self._trouble.get(issuer) != why:
                self._trouble[issuer] = why
                self._refused(issuer, why)
            return
        self._trouble.pop(issuer, None)
        text = self._texts[issuer]
        self._good[issuer] = (text, self._clock() + self._pace.stale)
        self._changed(frame_of_keys(issuer, text, self._pace.stale))


def check_files(tokens: tuple[TokenKeys, ...]) -> None:
    """Whether files of keys hold some, and URLs can be asked. Raises `RefusedError`."""
    for one in tokens:
        _source(one)
        if one.file is not None:
            try:
                key_set(read_file(one.file))
            except (FetchError, KeysError) as error:
                raise RefusedError(f"the keys of `{one.issuer}`: {error}") from None


def _source(keys: TokenKeys) -> Fetch:
    """Raises `RefusedError` where a URL cannot be asked at all."""
    if keys.file is not None:
        return partial(asyncio.to_thread, read_file, keys.file)
    try:
        return partial(fetch, address_of(keys.url or ""), _SECONDS)
    except FetchError as error:
        raise RefusedError(f"the keys of `{keys.issuer}`: {error}") from None
