"""What came of an import, as values that every renderer understands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from meshproof.compiler.report.exit_code import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from meshproof.compiler.express import Untaken
    from meshproof.compiler.verify.semantic_diff_values import SemanticDiff
    from meshproof.dsl.diagnostic import Diagnostic
    from meshproof.dsl.source import SourceFile


@dataclass(frozen=True, slots=True)
class Imported:
    """A policy that says what foreign files mean, what of them it does not say, and what is otherwise because of that.

    `text` is the policy, None where the files cannot be read or no policy can be made of them: then `diagnostics` say
    why. `difference` is from the files to the policy. `taken` counts what the policy declares, by kind. `notes` are
    what to know besides. `identities` names callers, `sources` are the texts that places point into.
    """

    origin: str
    day: date
    text: str | None
    untaken: tuple[Untaken, ...] = ()
    difference: SemanticDiff | None = None
    taken: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()
    identities: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, SourceFile] = field(default_factory=dict)

    @property
    def is_equal(self) -> bool:
        """Whether it is proved that the policy means what the files mean."""
        difference = self.difference
        return difference is not None and difference.is_complete and not difference.regions

    @property
    def exit_code(self) -> ExitCode:
        """Clean only if everything was taken and is proved equal."""
        if self.text is None or self.difference is None:
            return ExitCode.NOT_JUDGED
        if self.untaken or self.difference.regions:
            return ExitCode.FOUND
        return ExitCode.CLEAN if self.difference.is_complete else ExitCode.UNDECIDED
