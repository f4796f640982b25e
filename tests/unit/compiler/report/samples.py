"""Reports that have something of everything, for the renderers."""

from __future__ import annotations

import json
from datetime import date

from meshproof.compiler.backend.residual import Dial, Residual
from meshproof.compiler.ir.assertions import Control
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.request import Peer, Request, RequestProtocol
from meshproof.compiler.ir.request_json import request_to_json
from meshproof.compiler.report.model import (
    Assumption,
    ClaimResult,
    ClaimVerdict,
    Compiled,
    Finding,
    Report,
    TestOutcome,
    TestResult,
)
from meshproof.dsl.diagnostic import Diagnostic, Evidence, Label, Severity
from meshproof.dsl.source import SourceFile, Span

FILE = "shop.mesh"
TEXT = """\
mesh shop {}

service spy { port http 80 }
allow pay:  web -> till
allow peek: spy -> till
"""
SOURCE = SourceFile(FILE, TEXT)
SPY = "spiffe://cluster.local/ns/shop/sa/spy"
WITNESS = Request(Peer(SPY, None), NodeName("till"), 8080, RequestProtocol.HTTP, method="GET", path="/")
DAY = date(2026, 11, 23)


def span_of(text: str) -> Span:
    """Where the text stands in the sample."""
    start = TEXT.index(text)
    return Span(FILE, start, start + len(text))


def diagnostic(code: str = "MP301", severity: Severity = Severity.ERROR, **parts: object) -> Diagnostic:
    """A finding at the rule `peek`."""
    given: dict[str, object] = {
        "message": "rule `peek` is open",
        "labels": (Label(span_of("allow peek: spy -> till"), "this rule", is_primary=True),),
        "fingerprint": "0123",
        **parts,
    }
    return Diagnostic(code=code, severity=severity, **given)  # type: ignore[arg-type]  # of the fields' types


def claim(verdict: ClaimVerdict, name: str = "only web pays", **parts: object) -> ClaimResult:
    """A claim with a verdict."""
    return ClaimResult(name, "only web reaches till", span_of("till"), verdict, **parts)  # type: ignore[arg-type]


def line_of_test(outcome: TestOutcome, name: str = "pay", **parts: object) -> TestResult:
    """A line of a test with its outcome."""
    return TestResult(
        name,
        "web -> till:http GET /",
        span_of("web"),
        outcome,
        "allow",
        "deny at default",
        **parts,  # type: ignore[arg-type]
    )


def everything() -> Report:
    """A report in which no field is empty."""
    request = json.dumps(request_to_json(WITNESS))
    full = diagnostic(
        labels=(
            Label(span_of("allow peek: spy -> till"), "this rule", is_primary=True),
            Label(span_of("service spy"), "its source"),
        ),
        notes=("a note",),
        help="delete it",
        evidence=(Evidence("request", request), Evidence("proof", "no request reaches it")),
        subject="peek",
    )
    return Report(
        "check",
        DAY,
        "shop",
        ("dev", "prod"),
        (Finding(full, ("dev",)), Finding(diagnostic("MP305", Severity.WARNING, is_waived=True), ("dev", "prod"))),
        (
            claim(ClaimVerdict.PROVED, "mtls", assumptions=(Assumption("mTLS is strict", ("till:http",)),)),
            claim(ClaimVerdict.REFUTED, witness=(WITNESS,), controls=(Control("pci-dss", "1.4.2"),)),
            claim(ClaimVerdict.UNKNOWN, "hard", reason="out of time", environments=("prod",)),
        ),
        (
            line_of_test(TestOutcome.PASSED),
            line_of_test(TestOutcome.FAILED, requests=(WITNESS,), environments=("dev",)),
            line_of_test(TestOutcome.UNDECIDED, "asked"),
        ),
        Compiled(
            "istio",
            "build/istio",
            ("a.yaml", "meshproof.lock"),
            ("not yet read back",),
            "prod",
            title="Istio",
            residuals=(Residual("R1", "why", ("a",)),),
            dials=(Dial("a", 80, "spiffe://td/ns/a/sa/b", 81),),
        ),
        identities={SPY: "spy"},
        sources={FILE: SOURCE},
    )
