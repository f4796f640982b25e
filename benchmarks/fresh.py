"""What is kept from question to question within a process, and how to start without it."""

from __future__ import annotations

from meshproof.compiler.patterns.pattern import to_automaton
from meshproof.compiler.smt.classes import address_classes, authority_classes, text_classes


def forget() -> None:
    """Forget every pattern that was read and every set of strings that was divided into classes."""
    for kept in (to_automaton, text_classes, authority_classes, address_classes):
        kept.cache_clear()
