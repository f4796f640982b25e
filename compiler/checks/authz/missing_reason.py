"""An exception that does not say why, or until when

## What it does

Looks for `because` and `until` at everything that makes a policy less strict: `audit` rules, `observe`, mTLS that is
`permissive` or `disabled`, `assume` and `waive`. The last two need an `owner` as well. An allow for callers without an
identity (`plaintext`, `anyone`) needs `because`.

## Why it matters

Exceptions outlive their reasons. Without one nobody dares to take them away, and without a day nobody has to look.

## Example

```mesh
service legacy { port http 8080 }
mtls permissive for legacy
```

## Use instead

```mesh
service legacy { port http 8080 }
mtls permissive for legacy {
    because "two callers still run on machines outside of the mesh"
    until 2027-03-31
}
```

## Precision

Exact. `internet` before a gateway needs no reason: that is what a gateway is for.

## References

PCI DSS 4.0.1, requirements 1.2.5 and 1.2.6 (what is allowed has a business need; insecure features are justified).
NIST SP 800-53 Rev. 5, CM-7.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._exceptions import BECAUSE, OWNER, UNTIL, exceptions, waivers
from meshproof.compiler.checks.check import Check, Needs, Precision

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.diagnostic import Diagnostic


_FORMS = {BECAUSE: 'because "…"', OWNER: 'owner "…"', UNTIL: "until YYYY-MM-DD"}


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Exceptions that lack a clause."""
    for one in (*exceptions(ctx), *waivers(ctx)):
        missing = one.missing
        if missing:
            names = " and no ".join(f"`{name}`" for name in missing)
            yield CHECK.finding(
                f"{one.title} has no {names}",
                one.span,
                one.why,
                subject=one.subject,
                help=f"write `{' '.join(_FORMS[name] for name in missing)}`",
            )


CHECK = Check("MP310", Needs.MODEL, Precision.EXACT, find)
