"""A rewrite of what a rule of the destination reads

## What it does

Finds branches that rewrite the path or edit a header which a rule at the destination reads, and shows the form before
and the form after: rules see requests after the sender's rewrites.

## Why it matters

Whoever writes `deny anyone -> web { * /admin/** }` thinks of the path that callers type. If a gateway turns
`/shop/**` into `/**`, then `/shop/admin` arrives as `/admin`, and a rule for `/shop/**` matches nothing. Of a header
there is more to say: any caller in the mesh can set it itself, and step round the route that does.

## Example

```mesh
gateway edge { namespace ingress  hosts "shop.example.com"  port http 80 -> 8080 }
service web { port http 80 -> 8080 }
allow visit: edge -> web:http { GET /shop/** }
route edge { /shop/** => web:http { rewrite path / } }
```

## Use instead

```mesh
gateway edge { namespace ingress  hosts "shop.example.com"  port http 80 -> 8080 }
service web { port http 80 -> 8080 }
allow visit: edge -> web:http { GET /shop/** }
route edge { /shop/** => web:http }
```

Or write the rule for the form that arrives, and accept the finding by name:
`waive MP407 on edge because "the rules of web speak of rewritten paths" owner "shop" until 2027-06-30`.

## Precision

Heuristic: what it reports is so, and may be what was meant. A rule for every path (`/**`) does not read the path, and a
rule that the gateway's identity cannot match is left out.

## References

Language reference, "What happens to a request". Istio, VirtualService: HTTPRewrite, Headers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshproof.compiler.checks.authz._rules import Rules
from meshproof.compiler.checks.check import Check, Needs, Precision
from meshproof.compiler.checks.routing._branches import title
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.matchers import Segments
from meshproof.compiler.ir.predicate import And, Header, Not, Or, Path, Test
from meshproof.compiler.ir.routing import HeaderAction
from meshproof.compiler.resolve.callers import takes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from meshproof.compiler.checks.context import CheckContext
    from meshproof.compiler.ir.authz import AuthzRule
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.predicate import Predicate
    from meshproof.compiler.ir.routing import Branch, HeaderEdit, Route
    from meshproof.dsl.diagnostic import Diagnostic

_EVERY_PATH = Segments("/**")
MOST_RULES = 3
"""Rules that are pointed at; the others are counted."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What is read otherwise than it is sent: what is done, the form before and the form after."""

    verb: str
    before: str
    after: str
    is_read: Callable[[Test], bool]


def _find(context: CheckContext) -> Iterator[Diagnostic]:
    in_force = (rule for rule in context.mesh.rules if rule.is_in_force(context.day))
    rules = tuple(sorted(in_force, key=lambda rule: rule.origin.span))
    for route in context.mesh.routes:
        for branch in route.branches:
            here = tuple(rule for rule in rules if _meets(context.mesh, route, branch, rule))
            for change in _changes(branch):
                reading = tuple(rule for rule in here if _reads(rule.content, change.is_read))
                if reading:
                    yield _finding(Rules(context), route, branch, change, reading)


def _meets(mesh: Mesh, route: Route, branch: Branch, rule: AuthzRule) -> bool:
    """Whether the rule may match what the branch sends on."""
    sender = mesh.node(route.node)
    if isinstance(sender, Gateway):
        if not takes(rule.sources.matches, sender.identity.uri):
            return False
        ends = {(target.node, target.port) for target in branch.targets}
    else:
        ends = {(route.node, route.port)}
    return any(
        node == place.node and (place.ports is None or port is None or port in place.ports)
        for place in rule.destinations
        for node, port in ends
    )


def _changes(branch: Branch) -> Iterator[_Change]:
    settings = branch.settings
    if settings.rewrite_path is not None:
        before, after = _paths(branch, settings.rewrite_path)
        yield _Change("rewrites the path", before, after, _is_of_path)
    for edit in settings.headers:
        yield _Change(f'edits `header["{edit.name}"]`', *_values(edit), _is_of(edit.name))


def _paths(branch: Branch, rewrite: str) -> tuple[str, str]:
    match branch.path:
        case Segments(pattern) if pattern.endswith("/**"):
            return f"`{pattern}`", f"`{rewrite.removesuffix('/')}/**`"
        case Segments(pattern):
            return f"`{pattern}`", f"`{rewrite}`"
        case _:
            return "any path", f"`{rewrite}`"


def _values(edit: HeaderEdit) -> tuple[str, str]:
    match edit.action:
        case HeaderAction.SET:
            return "whatever the caller sends", f"`{edit.value}` alone"
        case HeaderAction.ADD:
            return "what the caller sends", f"the same and `{edit.value}`"
        case HeaderAction.REMOVE:
            return "what the caller sends", "no value"


def _reads(predicate: Predicate, is_read: Callable[[Test], bool]) -> bool:
    match predicate:
        case Test():
            return is_read(predicate)
        case Not(operand):
            return _reads(operand, is_read)
        case And(operands) | Or(operands):
            return any(_reads(operand, is_read) for operand in operands)
        case _:
            return False


def _is_of_path(test: Test) -> bool:
    return isinstance(test.attribute, Path) and test.matcher != _EVERY_PATH


def _is_of(header: str) -> Callable[[Test], bool]:
    return lambda test: test.attribute == Header(header)


def _finding(rules: Rules, route: Route, branch: Branch, change: _Change, reading: tuple[AuthzRule, ...]) -> Diagnostic:
    first, *others = reading
    readers = f"rule `{first.id}` reads" if not others else f"rule `{first.id}` and {len(others)} more read"
    return CHECK.finding(
        f"{title(route, branch)} {change.verb}, which {readers} as it arrives",
        branch.origin.span,
        f"{change.before} becomes {change.after}",
        subject=route.id,
        labels=tuple(rules.label(rule.id, f"sees {change.after}") for rule in reading[:MOST_RULES]),
        help="write the rules for the form that arrives, then waive this by name; a route protects nothing, because "
        "a caller may step round it",
    )


CHECK = Check("MP407", Needs.MODEL, Precision.HEURISTIC, _find)
