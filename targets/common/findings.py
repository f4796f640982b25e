"""What is said while a policy is lowered: refusals at the rule that needs them, and losses."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Loss
from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity


class NotExpressibleError(Exception):
    """The target has no words for it. Caught where the rule is known, and reported there as MP701."""

    def __init__(self, feature: Feature, reason: str, advice: str | None = None) -> None:
        super().__init__(reason)
        self.feature = feature
        self.reason = reason
        self.advice = advice


@dataclass(slots=True)
class Findings:
    """Collects what is found, each thing once, in the order in which it is found.

    `target` is the name of the target, and `title` that by which people know it.
    """

    target: str
    title: str
    diagnostics: list[Diagnostic] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def add(
        self, code: str, severity: Severity, message: str, subject: str, origin: Origin, advice: str | None = None
    ) -> None:
        """A finding with one place."""
        found = Diagnostic(
            code=code,
            severity=severity,
            message=message,
            labels=(Label(origin.span, is_primary=True),),
            help=advice,
            subject=subject,
            fingerprint=f"{self.target}:{subject}:{message}",
        )
        if found not in self.diagnostics:
            self.diagnostics.append(found)

    def unsupported(self, subject: str, origin: Origin, error: NotExpressibleError) -> None:
        """MP701 at the rule, route or declaration that needs what the target lacks."""
        message = f"{self.title} cannot express `{subject}`: {error.reason}"
        self.add("MP701", Severity.ERROR, message, subject, origin, error.advice)

    def residual(self, subject: str, origin: Origin, message: str) -> None:
        """MP708: something to know that no emitted file can change."""
        self.add("MP708", Severity.INFO, message, subject, origin)

    def lose(self, loss: Loss) -> None:
        """Record a loss once."""
        if loss not in self.losses:
            self.losses.append(loss)
