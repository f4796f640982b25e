"""The claims of a token in JSON: as they are in the token."""

from __future__ import annotations

from meshproof.compiler.ir.json_text import Json, JsonError
from meshproof.compiler.ir.request import ClaimObject, ClaimValue


def write_object(claims: ClaimObject) -> Json:
    """The object, its members in the order that they have."""
    return {name: write_claim(value) for name, value in claims.members}


def write_claim(value: ClaimValue) -> Json:
    """The JSON of a claim's value."""
    if isinstance(value, ClaimObject):
        return write_object(value)
    return [write_claim(item) for item in value] if isinstance(value, tuple) else value


def read_object(value: Json) -> ClaimObject:
    """The claims, in the order of their names. Raises `JsonError`."""
    if not isinstance(value, dict):
        raise JsonError("claims are an object")
    return ClaimObject(tuple((name, read_claim(value[name])) for name in sorted(value)))


def read_claim(value: Json) -> ClaimValue:
    """The value of a claim."""
    if isinstance(value, dict):
        return read_object(value)
    return tuple(read_claim(item) for item in value) if isinstance(value, list) else value
