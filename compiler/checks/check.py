"""What a check is: a pure function from a policy to findings, and what it promises about them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from meshproof.compiler.ir.names import RuleId, written_name
from meshproof.dsl.diagnostic import Diagnostic, Evidence, Fix, Label, Severity
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.dsl.source import Span


class Needs(StrEnum):
    """The dearest thing that a check reads; `--fast` runs those that need the syntax or the model alone."""

    SYNTAX = "syntax"
    """The documents as parsed."""
    MODEL = "model"
    """The resolved policy."""
    SMT = "smt"
    """The solver."""
    FINDINGS = "findings"
    """What everything else found, in all environments: such a check runs last, and only if everything else ran."""


class Precision(StrEnum):
    """What a check promises. A heuristic is never an error unless someone raises it."""

    EXACT = "exact"
    """It reports a thing if and only if the definition holds."""
    MISSES_SOME = "misses-some"
    """What it reports is true, but it does not find every case."""
    HEURISTIC = "heuristic"
    """What it reports may be what was meant."""


class AppliesTo(StrEnum):
    """Which policies a check has something to say about."""

    ALL = "all"
    """Whatever was read."""
    LANGUAGE = "language"
    """Policies of the language: it asks for something that nobody can write elsewhere."""
    MANIFESTS = "manifests"
    """Files of a mesh that were lifted: the language rules out what it finds."""

    def takes(self, mesh: Mesh) -> bool:
        """Whether such a check is run on the mesh."""
        return self is AppliesTo.ALL or mesh.is_lifted is (self is AppliesTo.MANIFESTS)


@dataclass(frozen=True, slots=True)
class Check:
    """A check. Its module's docstring is its documentation (see `documentation`).

    `code` is in the ledger of `dsl.problems`, which has the check's name and severity. `find` is pure and yields in
    any order; the driver sorts. A check module binds its one check to the name `CHECK`. `applies_to` tells the meshes
    that it is run on.
    """

    code: str
    needs: Needs
    precision: Precision
    find: Callable[[CheckContext], Iterator[Diagnostic]]
    applies_to: AppliesTo = AppliesTo.ALL

    @property
    def name(self) -> str:
        """The readable name, such as `overridden-by-deny`."""
        return problem(self.code).slug

    @property
    def severity(self) -> Severity:
        """What findings have unless one says otherwise."""
        return problem(self.code).severity

    @property
    def module(self) -> str:
        """The name of the module that the check is written in."""
        return self.find.__module__

    @property
    def concern(self) -> str:
        """The folder that the check stands in, such as `authz`."""
        return self.module.split(".")[-2]

    def finding(  # noqa: PLR0913  a finding has these parts, and all but two are left out most of the time
        self,
        message: str,
        at: Span,
        text: str = "",
        *,
        subject: str = "",
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,  # noqa: A002  the field's name
        fixes: tuple[Fix, ...] = (),
        evidence: tuple[Evidence, ...] = (),
        severity: Severity | None = None,
    ) -> Diagnostic:
        """A finding of this check whose primary label is `text` at `at`; `labels` are the secondary ones.

        `subject` is what a `waive` statement names: of a rule, its name without the form that it has in a
        lifted mesh. The fingerprint is left to the driver.
        """
        return Diagnostic(
            code=self.code,
            severity=severity or self.severity,
            message=message,
            labels=(Label(at, text, is_primary=True), *labels),
            notes=notes,
            help=help,
            fixes=fixes,
            evidence=evidence,
            subject=written_name(RuleId(subject)),
        )
