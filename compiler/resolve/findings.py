"""What is found while names are resolved, once for all environments together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.resolve.suggest import closest
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from meshproof.dsl.source import Span

MOST_ADVICE = 100
"""Nobody reads more, and each piece looks at every name there is."""


class Findings:
    """Collects findings; one that is the same in several environments is kept once.

    `environment` is the one that is being resolved. A finding that not every environment has says in a note which
    ones have it.
    """

    def __init__(self) -> None:
        """Start with nothing found."""
        self.environment: str | None = None
        self.count = 0
        """How often anything was added: by it a caller can tell whether a step found something."""
        self._advised = 0
        self._found: dict[Diagnostic, list[str | None]] = {}

    def add(  # noqa: PLR0913  a finding has these parts, and most are left out
        self,
        code: str,
        message: str,
        at: Span,
        text: str = "",
        *,
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,  # noqa: A002  the field's name
        subject: str = "",
    ) -> None:
        """Add a finding of `code` (in the ledger of `dsl.problems`) whose primary label is `text` at `at`."""
        found = Diagnostic(
            code=code,
            severity=problem(code).severity,
            message=message,
            labels=(Label(at, text, is_primary=True), *labels),
            notes=notes,
            help=help,
            subject=subject,
        )
        self.count += 1
        self._found.setdefault(found, []).append(self.environment)

    def did_you_mean(self, name: str, known: Iterable[str]) -> str | None:
        """Advice about an unknown name, or None where nothing known is close, or enough advice has been given."""
        self._advised += 1
        found = closest(name, known) if self._advised <= MOST_ADVICE else None
        return None if found is None else f"did you mean `{found}`?"

    @property
    def has_errors(self) -> bool:
        """Whether anything leaves the meaning of the policy open."""
        return any(found.severity is Severity.ERROR for found in self._found)

    def diagnostics(self, environments: tuple[str | None, ...]) -> tuple[Diagnostic, ...]:
        """Everything found, by place; `environments` are those that were resolved."""
        noted = (_noted(found, where, environments) for found, where in self._found.items())
        return tuple(sorted(noted, key=_order))


def _noted(found: Diagnostic, where: list[str | None], environments: tuple[str | None, ...]) -> Diagnostic:
    named = tuple(dict.fromkeys(name for name in where if name is not None))
    if not named or len(named) == len(environments):
        return found
    note = "in environment " + ", ".join(f"`{name}`" for name in named)
    return Diagnostic(
        code=found.code,
        severity=found.severity,
        message=found.message,
        labels=found.labels,
        notes=(*found.notes, note),
        help=found.help,
        subject=found.subject,
    )


def _order(found: Diagnostic) -> tuple[str, int, int, str, str]:
    at = found.labels[0].span
    return (at.file, at.start, at.end, found.code, found.message)
