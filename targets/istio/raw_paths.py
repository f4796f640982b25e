"""Raw paths that the language refuses or merges, and that Envoy lets through as they are; and hosts likewise.

Unless the mesh runs with `DECODE_AND_MERGE_SLASHES`, Envoy keeps `%2F`, `%5C` and (under `BASE`) `//`: a deny or an
`unless` by path then misses a reading that the workload behind may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.matchers import Exact, Prefix, Segments
from meshproof.compiler.ir.predicate import And, Host, Not, Or, Path, Predicate, Test, attributes_of
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.istio.clauses import clauses
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import PolicyRule
from meshproof.targets.istio.options import PathNormalization
from meshproof.targets.istio.workloads import Judgement

SETTING = "--option istio.path-normalization=DECODE_AND_MERGE_SLASHES"
SAFE = PathNormalization.DECODE_AND_MERGE_SLASHES

_ALWAYS = "a `%` that begins no escape is let through, and `.;x` and `..;x` are removed from a path like `.` and `..`"
_HOSTS = "whatever follows the colon of a host is taken for its port, also what is no number"
_RESIDUAL = {
    PathNormalization.NONE: "under NONE every raw path is judged and goes on as it is",
    PathNormalization.BASE: "under BASE escaped slashes and `//` stay in a path, which goes on so",
    PathNormalization.MERGE_SLASHES: "under MERGE_SLASHES escaped slashes stay in a path, which goes on so",
    PathNormalization.DECODE_AND_MERGE_SLASHES: _ALWAYS,
}
"""What raw paths tell apart that normal ones do not."""


def tell_raw_paths(context: Context, judgements: Iterable[Judgement], allows: tuple[PolicyRule, ...]) -> None:
    """MP707 at every rule that a raw path can step round; MP708 once for what is let through otherwise."""
    mode = context.options.path_normalization
    enforced = [one.rule for one in judgements if one.rule.is_enforced]
    reading = [rule for rule in enforced if Path() in attributes_of(rule.content)]
    for rule in reading:
        if mode is PathNormalization.NONE:
            _stop(context, rule, "without normalization Envoy keeps `..` in paths, and")
        elif mode is not SAFE and _is_hazard(rule) and any(_lets_raw(one) for one in allows):
            _stop(context, rule, f"under {mode} Envoy keeps `%2F`{' and `//`' if mode == 'BASE' else ''} in paths, and")
    if any(Host() in attributes_of(rule.content) for rule in enforced):
        context.findings.residual(context.mesh.name, context.mesh.origin, _HOSTS)
    if reading:
        message = _RESIDUAL[mode]
        if mode in {PathNormalization.BASE, PathNormalization.MERGE_SLASHES}:
            message = f"{message}; {_ALWAYS}"
        context.findings.residual(context.mesh.name, context.mesh.origin, message)


def _stop(context: Context, rule: AuthzRule, reason: str) -> None:
    mode, path = context.options.path_normalization, _some_path(rule)
    shown = "" if path is None else f", such as `{_UNREAD[mode]}{path}`"
    context.findings.add(
        "MP707",
        Severity.ERROR,
        f"{reason} `{rule.id}` misses paths that the workload may read as its own{shown}",
        str(rule.id),
        rule.origin,
        f"let the mesh run with DECODE_AND_MERGE_SLASHES and say so: `{SETTING}` (it is written into meshconfig.yaml)",
    )


_UNREAD = {
    PathNormalization.NONE: "/x/../",
    PathNormalization.BASE: "//",
    PathNormalization.MERGE_SLASHES: "/%2F",
    PathNormalization.DECODE_AND_MERGE_SLASHES: "/",
}
"""What may stand for the first slash of a path, so that a rule does not see it."""


def _some_path(rule: AuthzRule) -> str | None:
    """A path that the rule refuses, without its first slash; None where that is not plain."""
    refused = _tests(rule.content, is_positive=rule.effect is not Effect.ALLOW)
    for matcher in (one.matcher for one in refused if isinstance(one.attribute, Path)):
        if isinstance(matcher, Exact | Prefix | Segments):
            text = matcher.pattern.removesuffix("/**") if isinstance(matcher, Segments) else matcher.value
            if text.strip("/") and not set(text) & set("*{"):
                return text.removeprefix("/")
    return None


def _tests(predicate: Predicate, *, is_positive: bool) -> Iterator[Test]:
    """The tests of a condition that ask for something, or those that ask for it not to be so."""
    match predicate:
        case Test() if is_positive:
            yield predicate
        case And(operands) | Or(operands):
            for one in operands:
                yield from _tests(one, is_positive=is_positive)
        case Not(operand):
            yield from _tests(operand, is_positive=not is_positive)
        case _:
            return


def _is_hazard(rule: AuthzRule) -> bool:
    """A deny or ask by path, or an allow that takes paths out."""
    if rule.effect is not Effect.ALLOW:
        return True
    try:
        found = clauses(rule.when)
    except NotExpressibleError:
        return False
    return any(isinstance(one.attribute, Path) and not one.is_positive for clause in found for one in clause)


def _lets_raw(rule: PolicyRule) -> bool:
    """Whether some path with an escaped slash or two slashes is let in: not where every path is written out."""
    return any(not operation.paths or any("*" in path for path in operation.paths) for operation in rule.operations)
