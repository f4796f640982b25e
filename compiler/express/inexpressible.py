"""What the language has no words for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.ir.names import Origin
    from meshproof.compiler.ir.predicate import Opaque


class InexpressibleError(Exception):
    """Something cannot be said in the language; `reason` is a clause about it, `origin` the place if it is another."""

    def __init__(self, reason: str, origin: Origin | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.origin = origin


def not_modelled(opaque: Opaque) -> InexpressibleError:
    """That a field of a foreign file is not modelled, at its place."""
    field = opaque.field.removesuffix(" (deny)").removesuffix(" (allow)")
    return InexpressibleError(f"it depends on `{field}`, which is not modelled", opaque.origin)
