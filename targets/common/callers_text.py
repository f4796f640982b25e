"""Callers as people write them in policies."""

from __future__ import annotations

from meshproof.compiler.ir.predicate import Always, Never, Predicate
from meshproof.compiler.ir.predicate_text import predicate_text


def callers_text(callers: Predicate) -> str:
    """The set of callers on one line."""
    match callers:
        case Always():
            return "anyone"
        case Never():
            return "nobody"
        case _:
            return predicate_text(callers)
