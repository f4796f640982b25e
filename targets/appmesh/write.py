"""Values as JSON, in a spelling."""

from __future__ import annotations

from meshproof.compiler.ir.json_text import Json
from meshproof.targets.appmesh.shapes import members
from meshproof.targets.appmesh.spelling import Spelling


def to_json(value: object, spelling: Spelling) -> Json:
    """The value with every field that is there, in the order of the service model."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return [to_json(one, spelling) for one in value]
    return {
        spelling.key(member.name): to_json(found, spelling)
        for member in members(type(value))
        if (found := getattr(value, member.name)) is not None
    }
