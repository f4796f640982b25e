"""Identities that rules name, and who has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.predicate import And, Not, Or, Predicate, SourceIdentity, Test

if TYPE_CHECKING:
    from meshproof.compiler.ir.entities import Gateway, Service
    from meshproof.compiler.ir.mesh import Mesh


def owners(mesh: Mesh) -> dict[str, tuple[Service | Gateway, ...]]:
    """The declared services and gateways by identity, in the order of the text; none whose account is a guess."""
    found: dict[str, tuple[Service | Gateway, ...]] = {}
    nodes: tuple[Service | Gateway, ...] = (*mesh.services, *mesh.gateways)
    for node in sorted(nodes, key=lambda node: node.origin.span):
        if not node.is_account_known:
            continue
        found[node.identity.uri] = (*found.get(node.identity.uri, ()), node)
    return found


def named_identities(predicate: Predicate) -> frozenset[str]:
    """The identities that a condition compares the caller's with, each as a whole."""
    match predicate:
        case Test(SourceIdentity(), Exact(uri)):
            return frozenset((uri,))
        case And(operands) | Or(operands):
            return frozenset().union(*map(named_identities, operands))
        case Not(operand):
            return named_identities(operand)
        case _:
            return frozenset()
