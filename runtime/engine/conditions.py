"""Conditions as functions of a request, after what the connection settles has been settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from meshproof.compiler.ir.matchers import Cidr, Exact
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Attribute,
    ClientIp,
    Never,
    Not,
    Opaque,
    Or,
    Port,
    Predicate,
    SourceIdentity,
    SourceIp,
    Test,
    conjunction,
    disjunction,
    negation,
)
from meshproof.runtime.engine.addresses import AddressSet, address
from meshproof.runtime.engine.errors import UnsupportedPolicyError
from meshproof.runtime.engine.facts import Facts, reader
from meshproof.runtime.engine.matchers import compiled

Condition = Callable[[Facts], bool]


def settled(predicate: Predicate, identity: str | None, port: int) -> Predicate:
    """The condition with every test of the caller's identity and of the port replaced by what it comes to."""
    match predicate:
        case Test(SourceIdentity(), matcher):
            return Always() if identity is not None and compiled(matcher)(identity) else Never()
        case Test(Port(), matcher):
            return Always() if compiled(matcher)(str(port)) else Never()
        case Not(operand):
            return negation(settled(operand, identity, port))
        case And(operands):
            return conjunction(tuple(settled(one, identity, port) for one in operands))
        case Or(operands):
            return disjunction(tuple(settled(one, identity, port) for one in operands))
        case _:
            return predicate


def condition(predicate: Predicate) -> Condition:
    """A settled condition as a function. `UnsupportedPolicyError` for what the runtime cannot keep."""
    match predicate:
        case Always():
            return lambda _: True
        case Never():
            return lambda _: False
        case Test(attribute, matcher):
            return _test(attribute, compiled(matcher))
        case Not(operand):
            inner = condition(operand)
            return lambda facts: not inner(facts)
        case And(operands):
            every = tuple(condition(one) for one in operands)
            return lambda facts: all(one(facts) for one in every)
        case Or(operands):
            return _either(operands)
        case Opaque(field):
            raise UnsupportedPolicyError(f"`{field}` of a foreign file is not modelled")
        case _:
            assert_never(predicate)


def _test(attribute: Attribute, passes: Callable[[str], bool]) -> Condition:
    read = reader(attribute)
    return lambda facts: any(passes(value) for value in read(facts))


def _either(operands: tuple[Predicate, ...]) -> Condition:
    """Texts and networks that one attribute is compared with are one look-up, however many they are."""
    texts: dict[Attribute, set[str]] = {}
    networks: dict[Attribute, set[str]] = {}
    others: list[Condition] = []
    for operand in operands:
        match operand:
            case Test(attribute, Exact(value, ignore_case=False)):
                texts.setdefault(attribute, set()).add(value)
            case Test(SourceIp() | ClientIp() as attribute, Cidr(network)):
                networks.setdefault(attribute, set()).add(network)
            case _:
                others.append(condition(operand))
    some = (
        *(_test(attribute, frozenset(values).__contains__) for attribute, values in texts.items()),
        *(_in_networks(attribute, AddressSet(sorted(values))) for attribute, values in networks.items()),
        *others,
    )
    return lambda facts: any(one(facts) for one in some)


def _in_networks(attribute: Attribute, networks: AddressSet) -> Condition:
    return _test(attribute, lambda text: address(text) in networks)
