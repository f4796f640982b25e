"""A deny that a last slash escapes

## What it does

Looks for a request that is allowed, though a `deny` refuses the same request with a last slash more, or less, in its
path.

## Why it matters

`/admin` and `/admin/` are different paths for a mesh, and the same page for most servers. Whoever is refused the one
asks for the other.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny no-admin: anyone -> api { * /admin }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /** }
deny no-admin: anyone -> api { * /admin/** }
```

## Precision

What is reported is true: the request is allowed. Regular expressions are read in one direction, with a slash added;
whether the server takes both paths for one is not known.

## References

CWE-49, path equivalence: trailing slash. The language reference, "Rules": `/x` and `/x/` differ, `/x/**` is both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._questions import slashes
from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.showing import request_row
from meshproof.compiler.ir.matchers import Segments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Denies that do not refuse what differs in a last slash."""
    rules = Rules(ctx)
    for escape in slashes(ctx).found:
        rule = rules[escape.rule]
        request = escape.witness.request
        path = (request.path or "/").partition("?")[0]
        base = path.rstrip("/")
        refused = base if path.endswith("/") else f"{path}/"
        yield CHECK.finding(
            f"a last slash escapes deny `{rule.id}`",
            rules.head(rule),
            f"refuses `{refused}` and not `{path}`",
            subject=rule.id,
            labels=tuple(rules.label(name, "allows it") for name in escape.witness.blamed),
            help=_help(rule, base),
            evidence=(request_row(request),),
        )


def _help(rule: AuthzRule, base: str) -> str:
    if any(isinstance(one.path, Segments) and not one.path.pattern.endswith("**") for one in rule.operations):
        return f"end its paths in `/**`: `{base}/**` is `{base}`, `{base}/` and all below"
    return f"refuse both, `{base}` and `{base}/`, or name the paths as operations that end in `/**`"


CHECK = Check("MP313", Needs.SMT, Precision.MISSES_SOME, find, AppliesTo.LANGUAGE)
