"""The members of a JSON object, taken one by one, with the place of what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from meshproof.compiler.ir.json_text import Json, JsonError, suggestion

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Fields:
    """An object whose members all have known names. What is `null` counts as left out."""

    members: dict[str, Json]

    @classmethod
    def of(cls, value: Json, known: tuple[str, ...]) -> Fields:
        """The members of the object; `JsonError` if it is none or has others, with what was perhaps meant."""
        if not isinstance(value, dict):
            raise JsonError("an object is expected")
        for name in value:
            if name not in known:
                raise JsonError(f"`{name}` is not known here{suggestion(name, known)}")
        return cls(value)

    def optional(self, name: str, read: Callable[[Json], _T]) -> _T | None:
        """The member as `read` makes it, or None without one."""
        value = self.members.get(name)
        if value is None:
            return None
        try:
            return read(value)
        except JsonError as error:
            raise error.within(f".{name}") from None

    def required(self, name: str, read: Callable[[Json], _T]) -> _T:
        """The member as `read` makes it; `JsonError` without one."""
        found = self.optional(name, read)
        if found is None:
            raise JsonError(f"`{name}` is missing")
        return found


def text(value: Json) -> str:
    """A string of whole characters."""
    if not isinstance(value, str):
        raise JsonError("a string is expected")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise JsonError("half of a surrogate pair is no character")
    return value


def flag(value: Json) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise JsonError("`true` or `false` is expected")
    return value


def number(value: Json) -> int:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise JsonError("a whole number is expected")
    return value
