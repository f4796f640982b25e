"""What runs against what should, as values that every renderer understands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshproof.compiler.backend.target import LiftedObject
    from meshproof.compiler.report.model_diff import DiffReport


@dataclass(frozen=True, slots=True)
class DriftReport:
    """The comparison of meanings (old is the policy, new what runs), and the objects that differ.

    `missing` should run and do not; their places are in files of a compile, or of the policy. `foreign` run and nobody
    asked for them. `tried` run and decide nothing: a dry run that was left on.
    """

    difference: DiffReport
    missing: tuple[LiftedObject, ...]
    foreign: tuple[LiftedObject, ...]
    tried: tuple[LiftedObject, ...]

    @property
    def has_drifted(self) -> bool:
        """Whether what runs is not what should. A foreign object that changes no decision is told, and no drift."""
        found = self.difference
        is_other = bool(found.newly_allowed or found.newly_denied or found.rerouted)
        return is_other or bool(self.missing or self.tried)
