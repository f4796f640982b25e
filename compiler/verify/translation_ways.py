"""Which rules may speak of a request that emitted files let in, whatever its path is read as.

A rule that can never speak of the same caller, method or header is not stepped round, however a path is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Or,
    Path,
    Predicate,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.compiler.smt.encode_authz import encode_admitted, encode_match
from meshproof.compiler.smt.formula import TRUE
from meshproof.compiler.smt.policy import PortPolicy
from meshproof.compiler.smt.reading import Readings
from meshproof.compiler.smt.repeated import Repeated
from meshproof.compiler.smt.solver import Limits
from meshproof.compiler.smt.solver import Undecided as GaveUp
from meshproof.compiler.verify.semantic_diff import place_of
from meshproof.compiler.verify.semantic_diff_compare import Comparing, PortComparison
from meshproof.compiler.verify.translation_gaps import Compared

_LIMITS = Limits(10_000)


def met(
    policy: PortPolicy, there: PortPolicy, reading: Sequence[AuthzRule], entered: Sequence[AuthzRule], about: Compared
) -> tuple[AuthzRule, ...]:
    """Those of the rules `reading` paths that may speak of what one of the rules `entered`, of the files, lets in.

    What is let in is taken to be so by whatever path, as that the rule speaks of is another reading of it. Where an
    allow lets a request in whatever its path, no allow matters to it. All of `reading`, where it cannot be told.
    """
    old = replace(policy, route=None, route_tcp=None)
    new = replace(there, rules=tuple(map(_of_some_path, entered)), readings=Readings(), route=None, route_tcp=None)
    comparing = Comparing(
        meshes=(about.source, about.lifted),
        origins=({}, {}),
        day=about.day,
        to_new=about.to_new,
        limits=_LIMITS,
        most=1,
        repeated=Repeated.ANY,
    )
    try:
        joint = PortComparison(old, new, place_of(old, new), comparing).joint
        formulas = joint.formulas
        let_in = formulas.disjunction(encode_match(rule, joint.new) for rule in new.rules)
        entering = TRUE if new.open_layers else let_in
        inside = (joint.new.is_http, encode_admitted(joint.new), entering)
        allows = (_of_every_path(rule) for rule in policy.rules if rule.effect is Effect.ALLOW)
        whole = formulas.disjunction(encode_match(rule, joint.old) for rule in allows)
        left = {Effect.ALLOW: formulas.negation(whole)}
        return tuple(
            rule
            for rule in reading
            if not joint.is_empty(*inside, encode_match(rule, joint.old), left.get(rule.effect, TRUE))
        )
    except GaveUp:
        return tuple(reading)


def _of_some_path(rule: AuthzRule) -> AuthzRule:
    """The rule as it speaks of what it takes with some path or other."""
    return replace(rule, operations=(), when=_without_path(rule.content, is_taken=True))


def _of_every_path(rule: AuthzRule) -> AuthzRule:
    """The rule as it speaks of what it takes with every path."""
    return replace(rule, operations=(), when=_without_path(rule.content, is_taken=False))


def _without_path(predicate: Predicate, *, is_taken: bool) -> Predicate:
    match predicate:
        case Test(Path(), _):
            return Always() if is_taken else Never()
        case Not(operand):
            return negation(_without_path(operand, is_taken=not is_taken))
        case And(operands):
            return conjunction(tuple(_without_path(one, is_taken=is_taken) for one in operands))
        case Or(operands):
            return disjunction(tuple(_without_path(one, is_taken=is_taken) for one in operands))
        case _:
            return predicate
