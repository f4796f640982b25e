"""What a target cannot say exactly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity


class Direction(StrEnum):
    """Where a target errs. `STRICTER` refuses more; the others would enforce less than was proved."""

    STRICTER = "stricter"
    LOOSER = "looser"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Loss:
    """A difference between the policy and what was emitted for it. `subject` is a rule, route or service.

    `message` completes "in <target>, …" as one lower-case clause without a full stop.
    """

    feature: Feature
    direction: Direction
    subject: str
    message: str
    origin: Origin


def to_diagnostic(loss: Loss, target: str) -> Diagnostic:
    """A stricter loss is the warning MP704; anything else would be silent enforcement of less: the error MP703."""
    is_stricter = loss.direction is Direction.STRICTER
    return Diagnostic(
        code="MP704" if is_stricter else "MP703",
        severity=Severity.WARNING if is_stricter else Severity.ERROR,
        message=f"{target} cannot say all of `{loss.subject}`: {loss.message}",
        labels=(Label(loss.origin.span, str(loss.feature), is_primary=True),),
        subject=loss.subject,
        fingerprint=f"{loss.direction}:{loss.feature}:{loss.subject}",
    )
