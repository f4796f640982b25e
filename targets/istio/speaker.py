"""A rule while it is lowered: whatever its tests cannot say exactly is a loss of it."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.authz import Effect
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Predicate
from meshproof.targets.common.findings import Findings


@dataclass(frozen=True, slots=True)
class Speaker:
    """A rule that is being lowered: where what is said about it belongs, and which way an approximation errs."""

    findings: Findings
    subject: str
    origin: Origin
    effect: Effect

    def narrowed(
        self,
        feature: Feature,
        message: str,
        *,
        is_positive: bool,
        region: Predicate,
        repeated: str | None = None,
    ) -> None:
        """A test takes fewer requests than written: an allow then refuses more, a deny less; negated, the reverse.

        `region` says which ones, and `repeated` that it is those alone in which that header is repeated.
        """
        is_stricter = is_positive == (self.effect is Effect.ALLOW)
        direction = Direction.STRICTER if is_stricter else Direction.LOOSER
        self.findings.lose(Loss(feature, direction, self.subject, message, self.origin, region, repeated))

    def widened(
        self,
        feature: Feature,
        message: str,
        *,
        is_positive: bool,
        region: Predicate,
        repeated: str | None = None,
    ) -> None:
        """A test takes more requests than written."""
        self.narrowed(feature, message, is_positive=not is_positive, region=region, repeated=repeated)
