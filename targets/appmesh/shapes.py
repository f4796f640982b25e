"""What a field of the generated values holds, found once a class."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from meshproof.targets.appmesh.limits import KEY, Limits


@dataclass(frozen=True, slots=True)
class Member:
    """A field: `kind` is `str`, `int`, `bool` or a class; `is_list` of them."""

    name: str
    kind: type[Any]
    is_list: bool
    is_required: bool
    limits: Limits


_KNOWN: dict[type[Any], tuple[Member, ...]] = {}


def members(shape: type[Any]) -> tuple[Member, ...]:
    """The fields of a generated class, in order."""
    found = _KNOWN.get(shape)
    if found is None:
        hints = get_type_hints(shape)
        found = _KNOWN[shape] = tuple(
            _member(field.name, hints[field.name], field.metadata.get(KEY, Limits())) for field in fields(shape)
        )
    return found


def is_union(shape: type[Any]) -> bool:
    """Whether exactly one of the fields is there."""
    return bool(getattr(shape, "is_union", False))


def _member(name: str, hint: Any, limits: Limits) -> Member:  # noqa: ANN401  a type as `typing` tells it
    is_required = not isinstance(hint, UnionType)
    if not is_required:
        hint = next(one for one in get_args(hint) if one is not NoneType)
    is_list = get_origin(hint) is tuple
    return Member(name, get_args(hint)[0] if is_list else hint, is_list, is_required, limits)
