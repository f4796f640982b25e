"""Whether the token of a request is valid where it arrives: one verifier for each destination that accepts tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from meshproof.compiler.ir.entities import External, Issuer
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import IssuerName, NodeName
from meshproof.compiler.ir.request import Token
from meshproof.runtime.tokens.cache import TokenCache
from meshproof.runtime.tokens.claims import claim, refuse_audience, times
from meshproof.runtime.tokens.compact import FormError, Unverified, unverified
from meshproof.runtime.tokens.keys import ALGORITHMS
from meshproof.runtime.tokens.outcomes import Bad, Fault, Found, Good
from meshproof.runtime.tokens.places import Lines, Look, looker
from meshproof.runtime.tokens.ring import KeyRing


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """`leeway_seconds`: how far clocks of issuers may be off. `cached`: how many valid tokens are remembered."""

    token_bytes: int = 16_384
    leeway_seconds: int = 60
    cached: int = 10_000


@dataclass(frozen=True, slots=True)
class _Place:
    look: Look
    issuers: Mapping[str, Issuer]


def accepted_issuers(mesh: Mesh, name: NodeName) -> tuple[Issuer, ...]:
    """The issuers whose tokens a service or gateway looks for; none: its requests have no tokens."""
    node = mesh.node(name)
    names = () if node is None or isinstance(node, External) else node.accepts
    return tuple(issuer for issuer in mesh.issuers if issuer.name in names)


class Verifier:
    """Finds and verifies tokens of the issuers that one destination accepts.

    `clock` is the time of day in seconds since 1970 (`time.time`). Synchronous, without input or output: whoever has a
    request asks and has the answer. A signature takes some tens of microseconds, once a token: while it holds it is
    known by its digest.
    """

    def __init__(
        self,
        issuers: tuple[Issuer, ...],
        rings: Mapping[IssuerName, KeyRing],
        clock: Callable[[], float],
        limits: TokenLimits | None = None,
    ) -> None:
        self._limits = limits or TokenLimits()
        self._rings = {issuer.name: rings[issuer.name] for issuer in issuers}
        self._clock = clock
        self._cache = TokenCache(self._limits.cached)
        places = dict.fromkeys(issuer.place for issuer in issuers)
        self._places = tuple(
            _Place(looker(place), {issuer.url: issuer for issuer in issuers if issuer.place == place})
            for place in places
        )

    def verify(self, lines: Lines, target: bytes) -> Found:
        """The token of a request by its header lines and its target as sent; None if it has none.

        A request that has more than one, wherever issuers' tokens stand, has none that is valid. Never raises.
        """
        found: tuple[int, bytes] | None = None
        for index, place in enumerate(self._places):
            texts = place.look(lines, target)
            if texts:
                if found is not None or len(texts) > 1:
                    return Bad(Fault.SEVERAL)
                found = index, texts[0]
        if found is None:
            return None
        return self._cached(*found)

    def token(self, lines: Lines, target: bytes) -> Token | None:
        """The same as the engine takes it (`Incoming.token`)."""
        found = self.verify(lines, target)
        return None if found is None else found.token

    def _cached(self, place: int, text: bytes) -> Found:
        if len(text) > self._limits.token_bytes:
            return Bad(Fault.SIZE)
        now = self._clock()
        known = self._cache.get(place, text, now)
        if known is not None:
            return known
        try:
            return self._verified(place, text, now)
        except FormError as error:
            return Bad(error.fault)

    def _verified(self, place: int, text: bytes, now: float) -> Good:
        """What costs least is looked at first, so that a signature is looked at last."""
        said = unverified(text)
        if said.algorithm not in ALGORITHMS:
            raise FormError(Fault.ALGORITHM)
        url = claim(said.claims, "iss")
        issuer = self._places[place].issuers.get(url) if isinstance(url, str) else None
        if issuer is None:
            raise FormError(Fault.ISSUER)
        begins_at, ends_at = times(said.claims, self._limits.leeway_seconds)
        if not begins_at <= now < ends_at:
            raise FormError(Fault.TIME)
        refuse_audience(said.claims, issuer)
        ring = self._rings[issuer.name]
        _refuse_signature(said, ring)
        good = Good(Token(is_valid=True, claims=said.claims), issuer, ends_at)
        self._cache.put(place, text, good, begins_at, ring)
        return good


def _refuse_signature(said: Unverified, ring: KeyRing) -> None:
    keys = ring.keys
    if keys is None:
        ring.want()
        raise FormError(Fault.NO_KEYS)
    fitting = keys.fitting(said.kid, said.algorithm)
    if any(key.has_signed(said.text, said.algorithm) for key in fitting):
        return
    if said.kid is None or not keys.knows(said.kid):
        ring.want()  # its issuer may have a new key
    raise FormError(Fault.SIGNATURE if fitting else Fault.KEY)
