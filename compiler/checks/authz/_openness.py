"""Whether a rule says that it lets in who leaves something out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.matchers import Present
from meshproof.compiler.ir.predicate import And, Attribute, Not, Or, Predicate, Test
from meshproof.dsl.ast.declarations import Zone
from meshproof.dsl.ast.document import Binding
from meshproof.dsl.ast.sets import Internet, Named, Plaintext
from meshproof.dsl.visitor import walk

if TYPE_CHECKING:
    from meshproof.compiler.checks.context import CheckContext
    from meshproof.dsl.ast.rules import Rule
    from meshproof.dsl.ast.sets import SetExpression


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


def names_plaintext(ctx: CheckContext, rule: Rule | None) -> bool:
    """Whether `plaintext` or `internet` stands among the sources of a rule, or in a zone that does."""
    if rule is None:
        return False
    zones = _zones(ctx)
    pending: list[SetExpression] = [rule.sources]
    seen: set[str] = set()
    while pending:
        for node in walk(pending.pop()):
            if isinstance(node, Plaintext | Internet):
                return True
            if isinstance(node, Named) and node.name.text not in seen:
                seen.add(node.name.text)
                pending += zones.get(node.name.text, ())
    return False


def _zones(ctx: CheckContext) -> dict[str, list[SetExpression]]:
    """What zones are, by name: in other environments and other files they may be something else."""
    found: dict[str, list[SetExpression]] = {}
    for document in ctx.documents:
        for node in walk(document):
            if isinstance(node, Zone | Binding):
                found.setdefault(node.name.text, []).append(node.members)
    return found
