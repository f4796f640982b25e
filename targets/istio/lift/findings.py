"""What is said while files are lifted, each thing once and with its place."""

from __future__ import annotations

from dataclasses import dataclass, field

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import Span

UNKNOWN_FIELD = "MP711"
BAD_FIELD = "MP712"
NOT_MODELLED = "MP713"
COMPETING = "MP714"
UNKNOWN_WORKLOAD = "MP715"
LITERAL = "MP716"
DRY = "MP717"
CLIENT_TLS = "MP718"
UNHEEDED = "MP719"
READ_OTHERWISE = "MP720"
BYPASSED = "MP721"
PROXIED_ADDRESS = "MP722"
ESCAPED_CERTIFICATE = "MP724"

_SEVERITIES = {
    UNKNOWN_FIELD: Severity.ERROR,
    BAD_FIELD: Severity.ERROR,
    NOT_MODELLED: Severity.INFO,
    COMPETING: Severity.WARNING,
    UNKNOWN_WORKLOAD: Severity.WARNING,
    LITERAL: Severity.WARNING,
    DRY: Severity.WARNING,
    CLIENT_TLS: Severity.WARNING,
    UNHEEDED: Severity.WARNING,
    READ_OTHERWISE: Severity.WARNING,
    BYPASSED: Severity.WARNING,
    PROXIED_ADDRESS: Severity.WARNING,
    ESCAPED_CERTIFICATE: Severity.WARNING,
}


@dataclass(slots=True)
class LiftFindings:
    """Collects what is found, in the order in which it is found; the same thing about the same subject once."""

    _found: dict[Diagnostic, None] = field(default_factory=dict)

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything so far."""
        return tuple(self._found)

    def add(  # noqa: PLR0913  the parts of a finding
        self,
        code: str,
        message: str,
        subject: str,
        at: Origin | Span,
        *,
        advice: str | None = None,
        label: str = "",
        others: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        severity: Severity | None = None,
    ) -> None:
        """A finding of one of the codes above. `subject` is `NAMESPACE/NAME` of the object that it is about.

        `others` are further places; `severity` is another than findings of the code usually have.
        """
        span = at.span if isinstance(at, Origin) else at
        found = Diagnostic(
            code=code,
            severity=severity or _SEVERITIES[code],
            message=message,
            labels=(Label(span, label, is_primary=True), *others),
            notes=notes,
            help=advice,
            subject=subject,
            fingerprint=f"istio-lift:{code}:{subject}:{message}",
        )
        self._found.setdefault(found)

    def extend(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        """Findings that were made elsewhere."""
        for diagnostic in diagnostics:
            self._found.setdefault(diagnostic)
