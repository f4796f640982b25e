"""Names that are given on the command line and must be in the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from meshproof.compiler.config.load import closest

if TYPE_CHECKING:
    from collections.abc import Iterable


def known_names(option: str, given: tuple[str, ...], known: Iterable[str]) -> tuple[str, ...]:
    """The names that are meant: a given one stands for itself, or for all that begin with it.

    A policy that could not be read knows none, and says why elsewhere.

    Raises:
        click.UsageError: nothing is meant by a name.
    """
    names = sorted(set(known))
    return tuple(name for text in given for name in _meant(option, text, names)) if names else given


def _meant(option: str, text: str, names: list[str]) -> tuple[str, ...]:
    meant = (text,) if text in names else tuple(name for name in names if name.startswith(text))
    if not meant:
        near = closest(text, names)
        advice = f"Did you mean `{near}`?" if near else f"There are {', '.join(f'`{one}`' for one in names)}."
        raise click.UsageError(f"{option}: the policy has no `{text}`. {advice}")
    return meant
