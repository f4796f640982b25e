"""Retries that take longer than the timeout

## What it does

Multiplies the attempts of a route (the first one and its retries) with the time that each may take (`within`), and
compares that with the `timeout`, which is for all attempts together. A route that gives one of them only is left alone.

## Why it matters

If every attempt uses up its time, the timeout ends the request before the last attempts are made. They load the
destination when it is slow already, and never help the caller.

## Example

```mesh
service catalog { port http 80 }
route catalog:http {
    timeout 2s
    retry 3 on reset within 1s
}
```

## Use instead

```mesh
service catalog { port http 80 }
route catalog:http {
    timeout 2s
    retry 3 on reset within 500ms
}
```

## Precision

Exact. Pauses between attempts are not counted: with them the attempts take longer still.

## References

Envoy, router: `x-envoy-upstream-rq-timeout-ms` and `x-envoy-upstream-rq-per-try-timeout-ms`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.routing import Retry, Route
    from meshproof.dsl.diagnostic import Diagnostic


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    for route in context.mesh.routes:
        settings = (branch.settings for branch in route.branches)
        pairs = ((one.retry, one.timeout_ms) for one in settings if one.retry is not None)
        for retry, timeout in dict.fromkeys(pairs):
            within = retry.within_ms
            if timeout is not None and within is not None and (1 + retry.attempts) * within > timeout:
                yield _finding(context, route, retry, timeout)


def _finding(context: CheckContext, route: Route, retry: Retry, timeout: int) -> Diagnostic:
    within = retry.within_ms or 0
    attempts = 1 + retry.attempts
    total = duration(attempts * within)
    fitting = timeout // within - 1
    limit, each = context.worded("timeout", "timeout:"), context.worded("within", "perTryTimeout:")
    advice = [f"write `{limit} {total}`", f"`{each} {duration(timeout // attempts)}`"]
    if fitting > 0:
        advice.append(f"`{context.worded('retry', 'attempts:')} {fitting}`")
    return CHECK.finding(
        f"{attempts} attempts of {duration(within)} each take longer than the timeout of {duration(timeout)}",
        retry.origin.span,
        f"up to {total} in all",
        subject=route.id,
        help=f"{', '.join(advice[:-1])} or {advice[-1]}",
    )


CHECK = Check("MP405", Needs.MODEL, Precision.EXACT, _find)
