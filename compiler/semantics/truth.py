"""Whether a condition holds of a request.

The language is two-valued. Two things outside of it are not, and only they make a third value, None: what a foreign
file says that is not modelled (`Opaque`, true in some worlds and false in others), and an attribute that exists but
that the request leaves out. A decision that is the same either way is a decision all the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product
from typing import assert_never

from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    ClientIp,
    DestinationIp,
    Host,
    Method,
    Never,
    Not,
    Opaque,
    Or,
    Predicate,
    RawAuthority,
    RemoteIp,
    SourceIp,
    Test,
)
from meshproof.compiler.semantics.errors import MalformedRequest, NotModelled
from meshproof.compiler.semantics.facts import Facts
from meshproof.compiler.semantics.matching import matches

World = Mapping[Opaque, bool]
"""What each thing that is not modelled is taken to be; one that is not in it may be either."""

_MOST_OPAQUES = 10


def truth(predicate: Predicate, facts: Facts, world: World) -> bool | None:
    """The value of the predicate, None where it hangs on something that nobody tells."""
    match predicate:
        case Always():
            return True
        case Never():
            return False
        case Test(attribute, matcher):
            # "A test holds if one value passes it"; of what is absent none does.
            values = facts.values(attribute)
            return None if values is None else any(matches(matcher, value) for value in values)
        case Not(operand):
            value = truth(operand, facts, world)
            return None if value is None else not value
        case And(operands):
            return conjunction_of(truth(operand, facts, world) for operand in operands)
        case Or(operands):
            return disjunction_of(truth(operand, facts, world) for operand in operands)
        case Opaque():
            return world.get(predicate)
        case _:
            assert_never(predicate)


def conjunction_of(values: Iterable[bool | None]) -> bool | None:
    """True if all are, false if one is, else not known."""
    found = tuple(values)
    if False in found:
        return False
    return None if None in found else True


def disjunction_of(values: Iterable[bool | None]) -> bool | None:
    """True if one is, false if all are, else not known."""
    found = tuple(values)
    if True in found:
        return True
    return None if None in found else False


def holds(predicate: Predicate, facts: Facts) -> bool:
    """Whether the predicate holds of the request.

    Raises `NotModelled` if that depends on something that is not modelled, `MalformedRequest` if it depends on an
    attribute that the request leaves out.
    """
    values = {truth(predicate, facts, world) for world in worlds(opaques_in(predicate))}
    if values == {True}:
        return True
    if values == {False}:
        return False
    raise cause((predicate,), facts)


def opaques_in(predicate: Predicate) -> tuple[Opaque, ...]:
    """What is not modelled in the predicate, each once, as it is met."""
    match predicate:
        case Opaque():
            return (predicate,)
        case Not(operand):
            return opaques_in(operand)
        case And(operands) | Or(operands):
            return tuple(dict.fromkeys(opaque for operand in operands for opaque in opaques_in(operand)))
        case _:
            return ()


def worlds(opaques: tuple[Opaque, ...]) -> Iterator[World]:
    """Every way in which what is not modelled may be, nothing of it first.

    Beyond ten opaques only those ten are told apart and the others stay unknown: more may be called undecided, never
    less (ADR 0050).
    """
    told = opaques[:_MOST_OPAQUES]
    for values in product((False, True), repeat=len(told)):
        yield dict(zip(told, values, strict=True))


def cause(predicates: tuple[Predicate, ...], facts: Facts) -> NotModelled | MalformedRequest:
    """Why none of these predicates need have a value: the first opaque in them, else the first field left out."""
    for predicate in predicates:
        for opaque in opaques_in(predicate):
            return NotModelled(opaque.field, opaque.origin)
    left_out = (field for predicate in predicates for field in fields_left_out(predicate, facts))
    return MalformedRequest(f"`{next(left_out)}` is left out, and the outcome depends on it")


def fields_left_out(predicate: Predicate, facts: Facts) -> Iterator[str]:
    """The fields of a request's JSON form that the predicate reads and that the request leaves out."""
    match predicate:
        case Test(attribute, _):
            if facts.values(attribute) is None:
                yield _field(attribute)
        case Not(operand):
            yield from fields_left_out(operand, facts)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from fields_left_out(operand, facts)
        case _:
            return


def _field(attribute: Attribute) -> str:
    match attribute:
        case SourceIp():
            return "source.ip"
        case ClientIp() | RemoteIp():
            return "client_ip"
        case DestinationIp():
            return "destination.ip"
        case Method():
            return "method"
        case Host() | RawAuthority():
            return "host"
        case _:
            return "path"  # and the query, which is a part of it
