"""Why a rule matches nothing: parts of it that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.predicate import And, Predicate, disjunction
from meshproof.compiler.ir.predicate_text import predicate_text
from meshproof.compiler.smt.encoding import Encoding
from meshproof.compiler.smt.formula import Formula
from meshproof.compiler.smt.region import Everything, Satisfying
from meshproof.compiler.smt.solver import Undecided
from meshproof.compiler.verify.analysis import Analysis


def contradiction(analysis: Analysis, rule: AuthzRule) -> tuple[str, ...]:
    """Parts of a rule that no request has together at its first port, none of them for nothing, as they are written.

    Nothing if that cannot be told.
    """
    try:
        encoding = analysis.scope(analysis.scopes_of(rule.id)[0]).encoding(Everything())
        parts = dict(_parts(encoding, rule))
        kept = [part for part in encoding.core(tuple(parts)) or () if part in parts]
        for part in tuple(kept):
            rest = [one for one in kept if one != part]
            if encoding.find(rest) is None:
                kept = rest
        return tuple(parts[part] for part in parts if part in kept)
    except (Undecided, KeyError):
        return ()


def _parts(encoding: Encoding, rule: AuthzRule) -> Iterator[tuple[Formula, str]]:
    environment = encoding.environment
    callers = environment.callers.of_sources(rule.sources, is_gateway=encoding.policy.is_gateway)
    yield environment.is_caller(callers), f"the sources `{rule.sources.text}`"
    if rule.operations:
        operations = disjunction(tuple(operation.condition for operation in rule.operations))
        name = "the operations" if len(rule.operations) > 1 else f"`{predicate_text(operations)}`"
        yield encoding.formula(Satisfying(operations)), name
    for condition in _conjuncts(rule.when):
        yield encoding.formula(Satisfying(condition)), f"`{predicate_text(condition)}`"


def _conjuncts(predicate: Predicate) -> tuple[Predicate, ...]:
    return predicate.operands if isinstance(predicate, And) else (predicate,)
