"""What is said while files of App Mesh are read, with its place."""

from __future__ import annotations

from meshproof.compiler.ir.names import Origin
from meshproof.dsl.diagnostic import Diagnostic, Label, Severity
from meshproof.dsl.source import Span

NOTHING = "MP006"
UNREADABLE = "MP124"
BAD_OPTION = "MP709"
UNKNOWN_FIELD = "MP711"
BAD_FIELD = "MP712"
NOT_MODELLED = "MP713"
DANGLING = "MP715"
ENDED = "MP725"
UNSETTLED = "MP726"
COOPERATIVE = "MP727"

_SEVERITIES = {
    NOT_MODELLED: Severity.INFO,
    DANGLING: Severity.WARNING,
    ENDED: Severity.WARNING,
    COOPERATIVE: Severity.INFO,
}


def finding(code: str, message: str, subject: str, at: Span | Origin, advice: str | None = None) -> Diagnostic:
    """One finding about a resource."""
    span = at.span if isinstance(at, Origin) else at
    return Diagnostic(
        code=code,
        severity=_SEVERITIES.get(code, Severity.ERROR),
        message=message,
        labels=(Label(span, is_primary=True),),
        help=advice,
        subject=subject,
        fingerprint=f"{subject}:{message}",
    )
