"""What the tool has to say about a policy, as plain values that every renderer understands.

Messages are one lower-case sentence without a full stop, with backticks round what the user wrote;
advice goes into `help`. Codes are listed in `problems.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from meshproof.dsl.source import Span


class Severity(StrEnum):
    """How bad a finding is; `rank` orders them."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """2 for an error, 1 for a warning, 0 for information."""
        return {Severity.ERROR: 2, Severity.WARNING: 1, Severity.INFO: 0}[self]


@dataclass(frozen=True, slots=True)
class Label:
    """A place and what is to be said about it; the primary label is where the finding is reported."""

    span: Span
    text: str = ""
    is_primary: bool = False


class Applicability(StrEnum):
    """Whether a fix may be applied by a machine (after ruff)."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Fix:
    """Replace the text of `span` by `replacement`."""

    span: Span
    replacement: str
    title: str
    applicability: Applicability = Applicability.DISPLAY


@dataclass(frozen=True, slots=True)
class Evidence:
    """A row of plain data that supports a finding: `kind` names what it is.

    `kind` is `request` (value: the request as JSON of cli.md), `proof` (a sentence), `cover` (rule names),
    `decision` or `note`. Renderers show kinds that they do not know as `kind: value`.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `subject` is the name of what it is about (a rule, route, service, claim title), for waivers.

    `fingerprint` is stable under edits elsewhere: it holds no line numbers.
    """

    code: str
    severity: Severity
    message: str
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    fixes: tuple[Fix, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    subject: str = ""
    fingerprint: str = ""
    is_waived: bool = False

    @property
    def primary(self) -> Span | None:
        """Where the finding is reported, if it has a place at all."""
        for label in self.labels:
            if label.is_primary:
                return label.span
        return self.labels[0].span if self.labels else None
