"""The policy and the identity: read at the start, and again when asked to or when they are others on disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.runtime.identity.errors import IdentityError
from meshproof.runtime.identity.files import SvidContent
from meshproof.runtime.identity.svid import Credentials
from meshproof.runtime.net.material.errors import RefusedError
from meshproof.runtime.net.material.files import Watch
from meshproof.runtime.net.material.fit import gaps
from meshproof.runtime.net.material.framing import frame_of_identity, frame_of_policy
from meshproof.runtime.net.material.holding import Holding, Taken
from meshproof.runtime.net.material.identity import IdentityMaterial, read_content
from meshproof.runtime.net.material.policy import (
    PolicyMaterial,
    load_policy,
    own_identities,
    read_policy,
)
from meshproof.runtime.net.process.frames import Frame
from meshproof.runtime.revisions import RevisionError, Revisions
from meshproof.runtime.settings_run import RunSettings, WorkloadApi


class Told(Protocol):
    """Who is told what became of what was given."""

    def taken(self, what: str, taken: Taken) -> None:
        """A new policy or identity holds from now on; not called for those of the start."""

    def refused(self, what: str, why: str) -> None:
        """A new one was refused, and the last good one stays. Once a reason, and each time that somebody asks."""

    def gap(self, gap: str) -> None:
        """The policy says something that the settings do not make possible."""

    def over(self, name: str) -> None:
        """The own identity is not valid any more. Once an identity."""


@dataclass(frozen=True, slots=True)
class _Policy:
    taken: Taken
    mesh: Mesh


@dataclass(frozen=True, slots=True)
class _Identity:
    taken: Taken
    begins: float
    ends: float
    content: SvidContent | None


def clock() -> datetime:
    """The time of day, in UTC."""
    return datetime.now(UTC)


class Given:
    """The last good policy and identity of a sidecar. Nothing here waits for anything but disks."""

    def __init__(
        self,
        settings: RunSettings,
        told: Told,
        swapped: Callable[[Frame], None],
        now: Callable[[], datetime] = clock,
        *,
        is_trial: bool = False,
    ) -> None:
        """`swapped` is called with the frame of each policy and identity that is taken, the first ones too.

        `is_trial`: what is taken is not remembered, so another process may run meanwhile.
        """
        self._settings = settings
        self._revisions = Revisions(settings.policy)
        self._is_trial = is_trial
        self._told = told
        self._swapped = swapped
        self._now = now
        self._reading = asyncio.Lock()
        self._watch = Watch((settings.policy.bundle, *settings.policy.trusted_keys))
        self._mesh: Mesh | None = None
        self._own: _Identity | None = None
        self._half_way = ""
        self._is_over = False
        self.policy = Holding()
        self.identity = Holding()

    @property
    def frames(self) -> tuple[Frame, ...]:
        """What a worker needs to be told at its start."""
        held = (self.policy.taken, self.identity.taken)
        return tuple(one.frame for one in held if one is not None)

    @property
    def gaps(self) -> tuple[str, ...]:
        """Where the policy and the settings do not fit."""
        return () if self._mesh is None else gaps(self._mesh, self._settings)

    @property
    def ends(self) -> float | None:
        """When the own identity is over, in seconds since the epoch; None while there is none."""
        return None if self._own is None else self._own.ends

    @property
    def is_valid(self) -> bool:
        """Whether there is an own identity, and now is within its dates: handshakes ask the same."""
        return self._own is not None and self._own.begins <= self._now().timestamp() <= self._own.ends

    @property
    def identities(self) -> tuple[SpiffeId, ...]:
        """Whose certificate may be shown here, by the policy; nobody's before there is one."""
        return () if self._mesh is None else own_identities(self._mesh, self._settings.service)

    def load(self) -> None:
        """Read everything, for the first time. Raises `RefusedError`."""
        if not self._is_trial:
            try:
                self._revisions.hold()
            except RevisionError as error:
                raise RefusedError(str(error)) from None
        self._watch.has_changed()
        self._hold_policy(self._read_policy())
        if not isinstance(self._settings.identity, WorkloadApi):
            self._hold_identity(self._read_identity())

    def close(self) -> None:
        """Leave what was remembered to another process."""
        self._revisions.release()

    async def reload(self) -> bool:
        """Take what is there now, each for itself; whether nothing was refused. The last good ones stay."""
        async with self._reading:
            self._watch.has_changed()
            is_good = await self._reload_policy(is_asked=True)
            return await self._reload_identity(is_asked=True) and is_good

    async def look(self) -> None:
        """Take what has changed on disk, and see whether the identity is over."""
        async with self._reading:
            if self._watch.has_changed():
                await self._reload_policy(is_asked=False)
            await self._reload_identity(is_asked=False)
        is_over = self._own is not None and not self.is_valid
        if is_over and not self._is_over:
            assert self._own is not None
            self._told.over(self._own.taken.name)
        self._is_over = is_over

    def take_credentials(self, own: Credentials) -> None:
        """Take an identity that an agent has given; one that is not good is told, and the last good one stays."""
        try:
            self._hold_identity(self._checked(own, None))
        except RefusedError as error:
            self.refuse_identity(str(error))

    def refuse_identity(self, why: str) -> None:
        """Tell that no identity came that can be taken."""
        self._refused("identity", self.identity, why, is_asked=False)

    async def _reload_policy(self, *, is_asked: bool) -> bool:
        try:
            self._hold_policy(await asyncio.to_thread(self._read_policy))
        except RefusedError as error:
            self._refused("policy", self.policy, str(error), is_asked=is_asked)
            return False
        return True

    async def _reload_identity(self, *, is_asked: bool) -> bool:
        """Certificate and key are not read in one step: what does not fit is told if a second look finds the same."""
        if isinstance(self._settings.identity, WorkloadApi):
            return True
        try:
            self._hold_identity(await asyncio.to_thread(self._read_identity))
        except RefusedError as error:
            why = str(error)
            if is_asked or why == self._half_way:
                self._refused("identity", self.identity, why, is_asked=is_asked)
            self._half_way = why
            return False
        self._half_way = ""
        return True

    def _refused(self, what: str, holding: Holding, why: str, *, is_asked: bool) -> None:
        if holding.refuse(why, self._now()) or is_asked:
            self._told.refused(what, why)

    def _hold_policy(self, policy: _Policy) -> None:
        is_first = self.policy.taken is None
        self._mesh = policy.mesh
        if self.policy.take(policy.taken, self._now()):
            self._swapped(policy.taken.frame)
            if not is_first:
                self._told.taken("policy", policy.taken)
            for gap in self.gaps:
                self._told.gap(gap)

    def _hold_identity(self, own: _Identity) -> None:
        is_first = self.identity.taken is None and not isinstance(self._settings.identity, WorkloadApi)
        self._own = own
        if self.identity.take(own.taken, self._now()):
            self._swapped(own.taken.frame)
            if not is_first:
                self._told.taken("identity", own.taken)

    def _read_policy(self) -> _Policy:
        material: PolicyMaterial = read_policy(self._settings.policy)
        frame = frame_of_policy(material)
        held = self.policy.taken
        if held is not None and self._mesh is not None and held.frame == frame:
            return _Policy(held, self._mesh)
        loaded = load_policy(material, self._settings)
        try:
            if self._is_trial:
                self._revisions.check(loaded)
            else:
                self._revisions.take(loaded)
        except RevisionError as error:
            raise RefusedError(f"`{self._settings.policy.bundle}` is refused: {error}") from None
        return _Policy(Taken(frame, loaded.bundle.policy, loaded.bundle.revision), loaded.bundle.mesh)

    def _read_identity(self) -> _Identity:
        assert not isinstance(self._settings.identity, WorkloadApi)
        own = self._own
        try:
            content = read_content(self._settings.identity)
            if own is not None and own.content == content:
                return own
            return self._checked(content.credentials(), content)
        except IdentityError as error:
            raise RefusedError(str(error)) from None
        except OSError as error:
            raise RefusedError(f"`{error.filename}` cannot be looked at: {error.strerror}") from None

    def _checked(self, own: Credentials, content: SvidContent | None) -> _Identity:
        allowed = self.identities
        if own.identity not in allowed:
            raise RefusedError(f"the own certificate is that of `{own.identity.uri}`, not of `{allowed[0].uri}`")
        try:
            own.proven.check(self._now().timestamp())
        except IdentityError as error:
            raise RefusedError(f"the own certificate is refused: {error}") from None
        taken = Taken(frame_of_identity(IdentityMaterial.of(own)), own.identity.uri)
        return _Identity(taken, own.proven.begins, own.ends, content)
