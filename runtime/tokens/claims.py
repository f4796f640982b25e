"""The claims that decide whether a token is valid: of whom, for whom, and when."""

from __future__ import annotations

from meshproof.compiler.ir.entities import Issuer
from meshproof.compiler.ir.request import ClaimObject, ClaimValue
from meshproof.runtime.tokens.compact import FormError
from meshproof.runtime.tokens.outcomes import Fault

_LAST = 2**53
"""Beyond, numbers are not whole in every reader."""


def claim(claims: ClaimObject, name: str) -> ClaimValue:
    """A claim at the top; None where there is none, or it is null."""
    return next((value for of, value in claims.members if of == name), None)


def refuse_audience(claims: ClaimObject, issuer: Issuer) -> None:
    """Raise `FormError` unless the token is for an audience that its issuer's tokens are for here.

    `aud` is a text or a list of texts (RFC 7519), or it is not there; where audiences are asked for it must be.
    """
    if any(name == "aud" for name, _ in claims.members):
        value = claim(claims, "aud")
        named = value if isinstance(value, tuple) else (value,)
        if not named or not all(isinstance(one, str) for one in named):
            raise FormError(Fault.AUDIENCE)
    else:
        named = ()
    if issuer.audiences and not any(one in issuer.audiences for one in named):
        raise FormError(Fault.AUDIENCE)


def times(claims: ClaimObject, leeway: float) -> tuple[float, float]:
    """From when and until when the token holds, in seconds since 1970. Raises `FormError`.

    A token that does not say when it ends would be good for ever, and is not good at all.
    """
    begins, ends = _moment(claims, "nbf"), _moment(claims, "exp")
    _moment(claims, "iat")
    if ends is None:
        raise FormError(Fault.TIME)
    return (0.0 if begins is None else begins - leeway), ends + leeway


def _moment(claims: ClaimObject, name: str) -> float | None:
    if not any(of == name for of, _ in claims.members):
        return None
    value = claim(claims, name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LAST:
        raise FormError(Fault.TIME)
    return float(value)
