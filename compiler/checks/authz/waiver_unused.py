"""A waiver that accepts nothing

## What it does

Looks, after everything else, for waivers in force whose code was not found on what they name: in no environment.

## Why it matters

What it accepted is mended, or has another name now. As long as the waiver stands, the next such finding is accepted
before anyone has seen it.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /items/** }
waive MP305 on read because "see SHOP-17" owner "team-shop" until 2027-06-30
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { because "to be narrowed" }
waive MP305 on read because "see SHOP-17" owner "team-shop" until 2027-06-30
```

## Precision

Exact. It is asked only when everything was judged: all checks, claims and tests, in all environments.

## References

The language reference, "Claims". PCI DSS 4.0.1, appendix B (compensating controls are reviewed every year).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import listed
from meshproof.compiler.checks.waivable import is_waivable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Waivers in force that no finding answers to."""
    subjects: dict[str, dict[str, None]] = {}
    for finding in ctx.findings:
        if is_waivable(finding.code) and finding.subject:
            subjects.setdefault(finding.code, {})[finding.subject] = None
    for waiver in ctx.mesh.waivers:
        found = subjects.get(waiver.code, {})
        if waiver.subject not in found and (waiver.until is None or ctx.day <= waiver.until):
            yield CHECK.finding(
                f"the waiver of {waiver.code} on `{waiver.subject}` accepts nothing",
                waiver.origin.span,
                _reason(waiver.code, is_found=bool(found)),
                subject=waiver.subject,
                help=f"delete it, or name what it is for: {listed(sorted(found))}" if found else "delete it",
            )


def _reason(code: str, *, is_found: bool) -> str:
    if not is_waivable(code):
        return f"{code} is never waived"
    return f"{code} is found on other things" if is_found else f"{code} is found nowhere"


CHECK = Check("MP312", Needs.FINDINGS, Precision.EXACT, find)
