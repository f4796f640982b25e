"""Whether two values of the IR mean the same: equal but for origins, without writing either of them down.

It answers what comparing `serde.digest` of both would, some twenty times faster: a difference between two versions of
a policy begins with finding the few statements that are not the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, NewType, cast, get_args, get_type_hints

from meshproof.compiler.ir.names import Origin


@dataclass(frozen=True, slots=True)
class _Plan:
    """How values of one class are compared: `plain` fields hold no origin anywhere, `deep` ones may.

    `has_origin` tells classes with an origin of their own from those (conditions, sets of callers) below which one is
    rare: equality, which is quick, mostly settles those.
    """

    plain: Callable[[Any], object] | None
    deep: tuple[str, ...]
    has_origin: bool


def is_same(one: object, other: object) -> bool:
    """Whether both are equal, origins aside, as deep as they go."""
    if one is other:
        return True
    kind = type(one)
    if kind is not type(other):
        return False
    if isinstance(one, tuple) and isinstance(other, tuple):
        return len(one) == len(other) and all(map(is_same, one, other))
    plan = _plan_of(cast("Any", kind))
    if plan is None:
        return one == other
    if not plan.has_origin and one == other:
        return True
    if plan.plain is not None and plan.plain(one) != plan.plain(other):
        return False
    return all(is_same(getattr(one, name), getattr(other, name)) for name in plan.deep)


@cache
def _plan_of(kind: type) -> _Plan | None:
    """None for a class whose own equality looks at no origin."""
    if kind is Origin or not is_dataclass(kind) or not _holds_origin(kind):
        return None
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind) if field.compare and hints[field.name] is not Origin]
    deep = tuple(name for name in names if _may_hold_origin(hints[name]))
    plain = tuple(name for name in names if name not in deep)
    return _Plan(attrgetter(*plain) if plain else None, deep, Origin in hints.values())


def _may_hold_origin(hint: object) -> bool:
    return any(one is Origin or _holds_origin(one) for one in _classes_in(hint))


@cache
def _holds_origin(kind: type) -> bool:
    """Whether a value of the class may hold an origin somewhere."""
    seen: set[type] = set()
    pending = [kind]
    while pending:
        one = pending.pop()
        if one is Origin:
            return True
        if one not in seen and is_dataclass(one):
            seen.add(one)
            pending.extend(found for hint in get_type_hints(one).values() for found in _classes_in(hint))
    return False


def _classes_in(hint: object) -> Iterator[type]:
    """The classes that a type of a field is made of."""
    if isinstance(hint, NewType):
        yield from _classes_in(hint.__supertype__)
    elif isinstance(hint, type):
        yield hint
        yield from (found for inner in get_args(hint) for found in _classes_in(inner))
    else:
        for inner in get_args(hint):
            yield from _classes_in(inner)
