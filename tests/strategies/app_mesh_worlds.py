"""Meshes that were read from App Mesh's files, in each world of what is not modelled of its proxies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    conjunction,
    disjunction,
    negation,
)

_BY_LINE = "whether lines of a repeated header are compared one by one"


@dataclass(frozen=True, slots=True)
class World:
    """`is_joined`: lines of a repeated header are compared as one value."""

    is_joined: bool
    mesh: Mesh


def worlds(mesh: Mesh) -> tuple[World, ...]:
    """Proxies that compare lines of headers in one way or the other, in which all else that is unknown is so or not."""
    found = {}
    for is_joined, is_so in product((False, True), (False, True)):
        rules = tuple(replace(one, when=_in(one.when, is_joined=is_joined, is_so=is_so)) for one in mesh.rules)
        found[is_joined, rules] = World(is_joined, replace(mesh, rules=rules, routes=()))
    return tuple(found.values())


def _in(predicate: Predicate, *, is_joined: bool, is_so: bool) -> Predicate:
    match predicate:
        case Opaque(field=name):
            is_true = not is_joined if name == _BY_LINE else is_so
            return Always() if is_true else Never()
        case Not(operand):
            return negation(_in(operand, is_joined=is_joined, is_so=is_so))
        case And(operands):
            return conjunction(tuple(_in(one, is_joined=is_joined, is_so=is_so) for one in operands))
        case Or(operands):
            return disjunction(tuple(_in(one, is_joined=is_joined, is_so=is_so) for one in operands))
        case _:
            return predicate
