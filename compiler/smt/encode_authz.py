"""What the rules of a port allow, as a formula: step 1 and step 4 of "What happens to a request"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import partial

from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Layer
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.smt.encode_predicate import encode_predicate
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import TRUE, Formula


def encode_match(rule: AuthzRule, environment: Environment) -> Formula:
    """Where the rule matches: caller, some operation and all conditions, on a layer that it speaks of."""
    formulas = environment.formulas
    policy = environment.policy
    callers = environment.callers.of_sources(rule.sources, is_gateway=policy.is_gateway)
    is_there = (_is_on(layer, environment) for layer in policy.layers_of(rule))
    return formulas.conjunction(
        (
            formulas.disjunction(is_there),
            environment.is_caller(callers),
            encode_predicate(policy.reading(rule).content, environment),
        )
    )


def encode_admitted(environment: Environment) -> Formula:
    """What passes transport. Under `observe` everything does."""
    if environment.policy.is_observed or environment.policy.mode is not MtlsMode.STRICT:
        return TRUE
    is_anonymous = environment.is_caller(environment.callers.anonymous)
    return environment.formulas.negation(is_anonymous)


def encode_allowed(
    environment: Environment, matches: Mapping[RuleId, Formula], without: Collection[RuleId] = ()
) -> Formula:
    """What is allowed, `matches` being where each rule matches."""
    policy = environment.policy
    if policy.is_observed:
        return TRUE
    formulas = environment.formulas
    rules = [rule for rule in policy.rules if rule.id not in without]
    of = partial(_of_effect, rules)
    is_refused = [matches[rule.id] for rule in of(Effect.DENY)]
    for rule in of(Effect.ASK):
        # Nobody can say yes where it is not known who is asked.
        is_no = TRUE if rule.authorizer is None else formulas.literal(environment.answers[rule.authorizer], 0b01)
        is_refused.append(formulas.conjunction((matches[rule.id], is_no)))
    is_allowed = [matches[rule.id] for rule in of(Effect.ALLOW)]
    is_allowed.append(encode_open(environment))
    return formulas.conjunction(
        (
            encode_admitted(environment),
            *(formulas.negation(refused) for refused in is_refused),
            formulas.disjunction(is_allowed),
        )
    )


def encode_open(environment: Environment) -> Formula:
    """What is allowed where no rule decides."""
    return environment.formulas.disjunction(_is_on(layer, environment) for layer in environment.policy.open_layers)


def _of_effect(rules: list[AuthzRule], effect: Effect) -> list[AuthzRule]:
    return [rule for rule in rules if rule.effect is effect]


def _is_on(layer: Layer, environment: Environment) -> Formula:
    if layer is Layer.HTTP:
        return environment.is_http
    return environment.formulas.negation(environment.is_http) if layer is Layer.TCP else TRUE
