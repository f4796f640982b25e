"""What App Mesh's own service model says of a field, kept at the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

KEY = "limits"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a number, of the length of a text or of a list; what a text looks like; what it may be.

    `each` is of what a list holds.
    """

    least: int | None = None
    most: int | None = None
    pattern: str | None = None
    values: tuple[str, ...] = ()
    each: Limits | None = None


def limits(
    *,
    least: int | None = None,
    most: int | None = None,
    pattern: str | None = None,
    values: tuple[str, ...] = (),
    each: Mapping[str, Limits] | None = None,
) -> dict[str, Any]:
    """The metadata of a field."""
    return {KEY: Limits(least, most, pattern, values, None if each is None else each[KEY])}
