"""Whether a rule says that it lets in who leaves something out."""

from __future__ import annotations

from meshproof.compiler.checks.mtls._modes import names_plaintext
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.predicate import And, Attribute, Not, Or, Predicate, Test
from meshproof.compiler.resolve.callers import takes


def says_absent(predicate: Predicate, attribute: Attribute) -> bool:
    """Whether a condition holds `not has …` of the attribute."""
    match predicate:
        case Not(Test(read, Present())):
            return read == attribute
        case Not(operand):
            return says_absent(operand, attribute)
        case And(operands) | Or(operands):
            return any(says_absent(operand, attribute) for operand in operands)
        case _:
            return False


def says_without_identity(rule: AuthzRule) -> bool:
    """Whether `plaintext` or `internet` is named among the callers, or in a condition."""
    sources = rule.sources
    is_internet = sources.has_internet and not takes(sources.matches, None)
    return is_internet or names_plaintext(sources.matches) or names_plaintext(rule.when)
