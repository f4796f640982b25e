"""The token step: whose token it is, whether it is for this destination, and what its claims say (ADR 0052)."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.entities import Issuer
from meshproof.compiler.ir.request import ClaimObject, ClaimValue, Token

_WORDS = frozenset({"scope", "permission"})
"""Claims at the top of a token whose string is words."""


@dataclass(frozen=True, slots=True)
class GoodToken:
    """A valid token of an issuer that the destination accepts, for an audience that it accepts."""

    issuer: Issuer
    claims: ClaimObject
    audiences: tuple[str, ...]


def good_token(token: Token, accepted: tuple[Issuer, ...]) -> GoodToken | None:
    """The token as rules see it, or None where it is refused."""
    if not token.is_valid:
        return None
    url = _member(token.claims, "iss")
    for issuer in accepted:
        if issuer.url == url:
            audiences = _audiences(token.claims, issuer)
            if not issuer.audiences or any(one in issuer.audiences for one in audiences):
                return GoodToken(issuer, token.claims, audiences)
    return None


def is_preflight(method: str, headers: tuple[tuple[str, str], ...]) -> bool:
    """Whether it is a CORS preflight (Fetch Standard), whose token nobody looks at."""
    if method != "OPTIONS":
        return False
    names = {name for name, _ in headers}
    return "origin" in names and "access-control-request-method" in names


def strings_in(claims: ClaimObject, path: tuple[str, ...]) -> tuple[str, ...]:
    """The strings in a claim: one, those of a list, or the words of `scope` and `permission`; else none."""
    value: ClaimValue = claims
    for name in path:
        if not isinstance(value, ClaimObject):
            return ()
        value = _member(value, name)
    if isinstance(value, str):
        is_words = len(path) == 1 and path[0] in _WORDS
        return tuple(word for word in value.split(" ") if word) if is_words else (value,)
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()


def _audiences(claims: ClaimObject, issuer: Issuer) -> tuple[str, ...]:
    """Those that the token names; if it names none, it is for the first one that its issuer's tokens are for.

    A list without strings, or a number, is an absent claim as elsewhere; no token that was verified has one.
    """
    return strings_in(claims, ("aud",)) or issuer.audiences[:1]


def _member(claims: ClaimObject, name: str) -> ClaimValue:
    return next((value for of, value in claims.members if of == name), None)
