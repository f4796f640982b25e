"""A destination that accepts tokens, with clocks that stand still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.strategies.minting import NOW, jwk, jwks

from meshproof.compiler.ir.entities import Issuer, TokenPlace
from meshproof.compiler.ir.names import NOWHERE, IssuerName
from meshproof.runtime.tokens.keys import key_set
from meshproof.runtime.tokens.outcomes import Bad, Found, Good
from meshproof.runtime.tokens.ring import KeyRing
from meshproof.runtime.tokens.verifier import TokenLimits, Verifier

URL = "https://idp"
CLAIMS: Mapping[str, Any] = {"iss": URL, "aud": "shop", "exp": NOW + 600, "sub": "ann"}


def issuer(name: str = "idp", place: TokenPlace | None = None, *audiences: str) -> Issuer:
    """An issuer whose URL is its name's."""
    return Issuer(IssuerName(name), f"https://{name}", None, audiences, NOWHERE, place)


@dataclass
class Bench:
    """A verifier whose clocks are numbers. `wanted` counts how often keys were asked for."""

    issuers: tuple[Issuer, ...] = (issuer("idp", None, "shop"),)
    published: bytes = field(default_factory=lambda: jwks(jwk("RS256"), jwk("ES256")))
    limits: TokenLimits = field(default_factory=TokenLimits)
    now: float = NOW
    ticks: float = 1000.0
    wanted: int = 0

    def __post_init__(self) -> None:
        self.rings = {one.name: KeyRing(lambda: self.ticks, self._want) for one in self.issuers}
        for ring in self.rings.values():
            ring.put(key_set(self.published), self.ticks + 3600)
        self.verifier = Verifier(self.issuers, self.rings, lambda: self.now, self.limits)

    def _want(self) -> None:
        self.wanted += 1

    def bearer(self, text: bytes) -> Found:
        """What comes of a token at the usual place."""
        return self.verifier.verify(((b"Host", b"shop"), (b"Authorization", b"Bearer " + text)), b"/")

    def fault(self, text: bytes) -> str:
        """Why it is not valid; `good` if it is."""
        found = self.bearer(text)
        if isinstance(found, Bad):
            return found.fault.value
        assert isinstance(found, Good)
        return "good"
