"""Names, strings, numbers and what else is written in one word."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from meshproof.dsl.ast.node import Node


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A name as it is meant: `text` is the same whether it was written bare or quoted."""

    text: str


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A string; `value` has its escapes decoded."""

    value: str


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A whole number, zero or more."""

    value: int


@dataclass(frozen=True, slots=True)
class ValueRef(Node):
    """`$name`: stands for the whole string or number of a `value`. `name` is without the `$`."""

    name: str


@dataclass(frozen=True, slots=True)
class Percent(Node):
    """A whole percent from 0 to 100."""

    value: int


@dataclass(frozen=True, slots=True)
class Date(Node):
    """A day of the calendar, UTC."""

    value: dt.date


class DurationUnit(StrEnum):
    """The units that durations are written in."""

    MILLISECOND = "ms"
    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"


_MILLISECONDS = {
    DurationUnit.MILLISECOND: 1,
    DurationUnit.SECOND: 1_000,
    DurationUnit.MINUTE: 60_000,
    DurationUnit.HOUR: 3_600_000,
}


@dataclass(frozen=True, slots=True)
class Duration(Node):
    """A length of time as written, so that `60s` stays `60s`."""

    amount: int
    unit: DurationUnit

    @property
    def milliseconds(self) -> int:
        """The length in milliseconds."""
        return self.amount * _MILLISECONDS[self.unit]


@dataclass(frozen=True, slots=True)
class Regex(Node):
    """`re"…"`: the pattern as written, RE2 syntax, not yet checked."""

    pattern: str


StringValue: TypeAlias = Text | ValueRef
NumberValue: TypeAlias = Number | ValueRef
Scalar: TypeAlias = Text | Number | ValueRef
PortRef: TypeAlias = Name | Number | ValueRef
"""A port by its name, or by the number that the workload listens on."""
