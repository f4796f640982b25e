"""What comes of looking for a token."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.ir.entities import Issuer
from meshproof.compiler.ir.request import ClaimObject, Token

_NONE_VALID = Token(is_valid=False, claims=ClaimObject(()))


class Fault(StrEnum):
    """Why a token is not valid; for logs and metrics, never for who sent it."""

    SEVERAL = "several"  # more than one token, or a place that is there more than once
    SIZE = "size"
    FORM = "form"  # no compact JWS of a JSON object, or a header that asks for what is not done here
    ALGORITHM = "algorithm"
    ISSUER = "issuer"  # of none that is accepted, or not where its issuer's tokens stand
    AUDIENCE = "audience"
    TIME = "time"  # expired, not valid yet, or it says nothing of when it ends
    KEY = "key"  # its issuer has no such key
    NO_KEYS = "no-keys"  # the issuer's keys are not known, or have not been for too long
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Good:
    """A token that its issuer has signed, in its time and for an audience of the issuer's."""

    token: Token
    issuer: Issuer
    ends_at: float


@dataclass(frozen=True, slots=True)
class Bad:
    """A token that is not valid: a request that has it is refused (401)."""

    fault: Fault

    @property
    def token(self) -> Token:
        """As the engine takes it."""
        return _NONE_VALID


Found = Good | Bad | None
"""None: the request has no token. `Good.token` and `Bad.token` are what `Incoming.token` takes."""
