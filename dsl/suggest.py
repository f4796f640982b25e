"""Guessing what a misspelt word was meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def closest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that is most like the word, if one is like it; the same for the same candidates in any order."""
    from difflib import get_close_matches  # noqa: PLC0415 - needed only where something is wrong

    found = get_close_matches(word, sorted(set(candidates)), n=1, cutoff=0.7)
    return found[0] if found else None


def one_of(words: Iterable[str]) -> str:
    """`a`, `b` or `c`, for a message."""
    quoted = [f"`{word}`" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
