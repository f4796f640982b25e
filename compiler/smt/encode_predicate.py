"""Conditions as formulas."""

from __future__ import annotations

from typing import assert_never

from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Claim,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    Test,
    TokenAudience,
    TokenIssuer,
    TokenPresenter,
    TokenSubject,
)
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, TRUE, Formula

_OF_TOKEN = (TokenIssuer, TokenSubject, TokenAudience, TokenPresenter, Claim)


def encode_predicate(predicate: Predicate, environment: Environment, *, sees_token: bool = True) -> Formula:
    """Where the condition holds. Without `sees_token` as a proxy reads it that looks for no token."""
    formulas = environment.formulas
    match predicate:
        case Always():
            return TRUE
        case Never():
            return FALSE
        case Test(attribute, matcher):
            if isinstance(attribute, _OF_TOKEN) and not sees_token:
                return FALSE
            return environment.test(attribute, matcher)
        case Not(operand):
            return formulas.negation(encode_predicate(operand, environment, sees_token=sees_token))
        case And(operands):
            return formulas.conjunction(encode_predicate(one, environment, sees_token=sees_token) for one in operands)
        case Or(operands):
            return formulas.disjunction(encode_predicate(one, environment, sees_token=sees_token) for one in operands)
        case Opaque():
            return formulas.literal(environment.opaques[predicate], 0b10)
        case _:
            assert_never(predicate)
