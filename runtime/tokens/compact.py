"""A token as text, taken apart before anybody has verified it: strictly, and only what is looked at here."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from meshproof.compiler.ir.claim_json import read_object
from meshproof.compiler.ir.json_text import Json, JsonError, parse
from meshproof.compiler.ir.request import ClaimObject
from meshproof.runtime.tokens.outcomes import Fault

_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)").fullmatch
_MOST_KID = 256
_TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_REFUSED = frozenset({"crit", "b64", "zip", "enc", "cty"})
"""Header parameters that change what the rest means, of which none is understood here."""


class FormError(Exception):
    """The text is no token that is looked at."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Unverified:
    """What a token says before anybody has looked at its signature. `kid` is None where it names no key.

    Keys that the header brings or points to (`jwk`, `jku`, `x5c`, `x5u`) are not looked at.
    """

    text: bytes
    algorithm: str
    kid: str | None
    claims: ClaimObject


def unverified(text: bytes) -> Unverified:
    """The parts of a compact JWS (RFC 7515) with JSON claims. Raises `FormError`."""
    parts = _COMPACT(text)
    if parts is None:
        raise FormError(Fault.FORM)
    header = _object(parts[1])
    algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str):
        raise FormError(Fault.ALGORITHM)
    is_odd_kid = "kid" in header and not (isinstance(kid, str) and 0 < len(kid) <= _MOST_KID)
    if is_odd_kid or not isinstance(kind, str) or kind.lower() not in _TYPES or not _REFUSED.isdisjoint(header):
        raise FormError(Fault.FORM)
    try:
        claims = read_object(_object(parts[2]))
    except RecursionError:
        raise FormError(Fault.FORM) from None
    return Unverified(text, algorithm, kid if isinstance(kid, str) else None, claims)


def _object(segment: bytes) -> dict[str, Json]:
    """The JSON object in a segment: each name once, no `NaN`, and text that is Unicode."""
    try:
        data = urlsafe_b64decode(segment + b"=" * (-len(segment) % 4))
        if urlsafe_b64encode(data).rstrip(b"=") != segment:
            raise FormError(Fault.FORM)
        value = parse(data)
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode("utf-8")  # halves of pairs are no text
    except (JsonError, ValueError, RecursionError):
        raise FormError(Fault.FORM) from None
    if not isinstance(value, dict):
        raise FormError(Fault.FORM)
    return value
