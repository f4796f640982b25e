"""`because`, `owner` and `until`, unwrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.entities import Exemption
from meshproof.compiler.ir.names import Origin

if TYPE_CHECKING:
    from datetime import date

    from meshproof.dsl.ast.reasons import Observe, Reasons


def because(reasons: Reasons) -> str | None:
    """Why."""
    return None if reasons.because is None else reasons.because.value


def owner(reasons: Reasons) -> str | None:
    """Who answers for it."""
    return None if reasons.owner is None else reasons.owner.value


def until(reasons: Reasons) -> date | None:
    """The last day on which it holds."""
    return None if reasons.until is None else reasons.until.value


def exemption(written: Observe) -> Exemption:
    """An `observe` with its reasons."""
    reasons = written.reasons
    return Exemption(because(reasons), owner(reasons), until(reasons), Origin(written.span))
