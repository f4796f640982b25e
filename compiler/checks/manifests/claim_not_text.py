"""A claim that is no text is compared with one

## What it does

Looks for conditions on claims that tokens hold as numbers or booleans: `exp`, `iat` and the like, and values that are
`true`, `false` or a number.

## Why it matters

Istio compares claims that are text, or lists of texts. A number or a boolean never matches, in quotes or without: an
ALLOW lets nobody in, a DENY refuses nobody, and `notValues` is always met.

## Example

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: shop}
spec: {jwtRules: [{issuer: "https://idp.example.com", jwksUri: "https://idp.example.com/jwks"}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - when: [{key: "request.auth.claims[email_verified]", values: ["true"]}]
```

## Use instead

```yaml
apiVersion: v1
kind: Service
metadata: {name: orders, namespace: shop}
spec: {selector: {app: orders}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: idp, namespace: shop}
spec: {jwtRules: [{issuer: "https://idp.example.com", jwksUri: "https://idp.example.com/jwks"}]}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: orders, namespace: shop}
spec:
  selector: {matchLabels: {app: orders}}
  rules:
  - when: [{key: "request.auth.claims[groups]", values: ["verified"]}]
```

## Precision

Heuristic: an issuer may write a number as text.

## References

Istio, "JWT claim based routing and authorization": supported claims are strings and lists of strings. RFC 7519, 4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import title
from meshproof.compiler.checks.check import AppliesTo, Check, Needs, Precision
from meshproof.compiler.checks.manifests._rules_read import comparisons_in, written_rules
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import Claim

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.dsl.diagnostic import Diagnostic

_TIMES = frozenset(("exp", "iat", "nbf", "auth_time", "updated_at"))
"""Claims that are numbers in every token (RFC 7519, OpenID Connect)."""


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Conditions that no token meets."""
    for rule in written_rules(ctx):
        for claim, value in dict.fromkeys(_odd(rule)):
            yield CHECK.finding(
                f"{title(rule)} compares claim `{claim}` with `{value}`, and Istio compares texts alone",
                rule.origin.span,
                "is never met if the token holds a number or a boolean",
                subject=rule.id,
                help="let the issuer write the claim as text, or go by another claim",
            )


def _odd(rule: AuthzRule) -> Iterator[tuple[str, str]]:
    """Claims and the values with which they are compared, where those are no texts as a rule."""
    for test, _ in comparisons_in(rule.content):
        match test.attribute, test.matcher:
            case Claim(path), Exact(value):
                is_number = value.lstrip("-").replace(".", "", 1).isdigit()
                if path[-1] in _TIMES or is_number or value in {"true", "false"}:
                    yield ".".join(path), value
            case _:
                pass


CHECK = Check("MP332", Needs.MODEL, Precision.HEURISTIC, find, AppliesTo.MANIFESTS)
