"""A rule that one other rule makes needless

## What it does

Proves that another rule of the same effect matches all that a rule matches, and more. If a rule of another effect meets
it too, that one is shown as well.

## Why it matters

The narrow rule looks like the limit of what is allowed, and the broad one is what counts. Reviews go by the narrow one.
Taking it away changes nothing, so an access that was revoked goes on.

## Example

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /items/** }
allow everything: web -> api { GET|POST|DELETE /** }
```

## Use instead

```mesh
service web { }
service api { port http 8080 }
allow read: web -> api { GET /items/** }
allow write: web -> api { POST|DELETE /items/** }
```

## Precision

Exact, over every request that can be made. If the broader rule ends before the narrower one (`until`), the finding is
for information: the narrower one is needed then. A rule that another environment needs is left alone.

## References

Al-Shaer and Hamed, Discovery of policy anomalies in distributed firewalls (2004): redundancy. Cedar Analysis: permit
shadowed by permit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._redundancy import cover_labels, first_end, notes, proof, redundant
from meshproof.compiler.checks.authz._rules import VERBS, Rules, title
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.showing import MOST_NAMES, every, listed, proof_row
from meshproof.dsl.diagnostic import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.names import RuleId
    from meshproof.compiler.verify.anomalies import RuleAnomaly
    from meshproof.dsl.diagnostic import Diagnostic


def find(ctx: CheckContext) -> Iterator[Diagnostic]:
    """Rules that match nothing which another one of their effect does not match."""
    rules = Rules(ctx)
    covers: dict[RuleId, list[tuple[AuthzRule, RuleAnomaly]]] = {}
    for rule, found in redundant(ctx, "shadowed"):
        if ctx.mesh.is_lifted:
            covers.setdefault(found.cover[0], []).append((rule, found))
        else:
            yield _one(rules, rule, found)
    for other, covered in covers.items():
        yield _one(rules, *covered[0]) if len(covered) == 1 else _several(rules, other, covered)


def _one(rules: Rules, rule: AuthzRule, found: RuleAnomaly) -> Diagnostic:
    (other,) = found.cover
    is_for_now = first_end(rules, rule, found) is not None
    return CHECK.finding(
        f"{title(rule)} adds nothing to `{other}`",
        rules.head(rule),
        "matches nothing of its own",
        subject=rule.id,
        labels=cover_labels(rules, found),
        notes=notes(rules, rule, found),
        help=None if is_for_now else f"narrow `{other}` to what is needed, or delete `{rule.id}`",
        evidence=(proof(found, f"every request that `{rule.id}` matches is matched by `{other}`"),),
        severity=Severity.INFO if is_for_now else None,
    )


def _several(rules: Rules, other: RuleId, covered: list[tuple[AuthzRule, RuleAnomaly]]) -> Diagnostic:
    """Manifests have many rules for small things and one for everything: that is one mistake."""
    names = [str(rule.id) for rule, _ in covered]
    is_stable = all(found.is_stable for _, found in covered)
    sentence = f"every request that one of {listed(names)} matches is matched by `{other}`"
    return CHECK.finding(
        f"{listed(names)} add nothing to `{other}`",
        rules.head(rules[other]),
        f"{VERBS[rules[other].effect]} all that they do",
        subject=other,
        labels=tuple(rules.label(rule.id, "matches nothing of its own") for rule, _ in covered[:MOST_NAMES]),
        notes=every(names),
        help=f"narrow `{other}` to what is needed, or delete the others",
        evidence=(proof_row(sentence if is_stable else f"of what passes transport, {sentence}"),),
    )


CHECK = Check("MP304", Needs.SMT, Precision.EXACT, find)
