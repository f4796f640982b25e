"""`$name`: what a value is in one environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.resolve.scope import Kind, Scope
from meshproof.dsl.ast.values import Name, Number, Text, ValueRef

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.compiler.resolve.findings import Findings
    from meshproof.dsl.ast.declarations import Value
    from meshproof.dsl.ast.values import NumberValue, Scalar, StringValue

_VALUE = frozenset((Kind.VALUE,))
_QUOTED = "write the value in quotes where it is declared"
_BARE = "write the value without quotes where it is declared"


def value_in(value: Value, environment: str | None) -> str | int:
    """What the value is in that environment: the first override that names it, else the default."""
    for override in value.overrides:
        if any(name.text == environment for name in override.env):
            return override.value.value
    return value.default.value


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one environment; a reference that cannot be followed is a finding and reads as None."""

    scope: Scope
    findings: Findings
    known: dict[str, str | int] = field(default_factory=dict)

    def scalar(self, written: Scalar) -> str | int | None:
        """A string or a number."""
        if not isinstance(written, ValueRef):
            return written.value
        name = Name(written.name, span=written.span)
        if self.scope.find(name, _VALUE, self.findings) is None:
            return None
        return self.known[written.name]

    def string(self, written: StringValue) -> str | None:
        """A string."""
        if isinstance(written, Text):
            return written.value
        value = self.scalar(written)
        if isinstance(value, int):
            self.findings.add(
                "MP235", f"`${written.name}` is a number, and a string is needed", written.span, help=_QUOTED
            )
            return None
        return value

    def number(self, written: NumberValue) -> int | None:
        """A whole number."""
        if isinstance(written, Number):
            return written.value
        value = self.scalar(written)
        if isinstance(value, str):
            self.findings.add(
                "MP235", f"`${written.name}` is a string, and a number is needed", written.span, help=_BARE
            )
            return None
        return value

    def strings(self, written: Iterable[StringValue]) -> tuple[str, ...]:
        """The strings that can be read, in order."""
        read = (self.string(one) for one in written)
        return tuple(value for value in read if value is not None)
