"""What a gateway sends to a service, whatever host is asked for."""

from __future__ import annotations

from collections.abc import Iterable

from meshproof.compiler.ir.matchers import Exact, Matcher, Suffix
from meshproof.compiler.ir.predicate import (
    Always,
    And,
    Host,
    Never,
    Not,
    Or,
    Predicate,
    Test,
    conjunction,
    disjunction,
    negation,
)


def sent(leads: Iterable[tuple[Exact | Suffix | None, Predicate]]) -> Predicate:
    """What is sent by routes to one service, each with the hosts that it is for, None for all.

    Of a host for which no route leads there nothing is sent. Where the gateway sends such requests its routes tell; of
    what the service would be sent this says the same as of the hosts that lead there, which takes in no more of those.
    """
    every = tuple(leads)
    hosts = tuple(dict.fromkeys(found for found, _ in every if found is not None))
    told = tuple(condition for _, condition in every)
    if any(found is None for found, _ in every):
        return disjunction(told)
    elsewhere = negation(disjunction(tuple(Test(Host(), one) for one in hosts)))
    alike = disjunction(tuple(_asked_for(condition, _example(one)) for condition in told for one in hosts))
    return disjunction((*told, conjunction((elsewhere, alike))))


def _example(hosts: Exact | Suffix) -> str:
    return hosts.value if isinstance(hosts, Exact) else f"any{hosts.value}"


def _asked_for(predicate: Predicate, host: str) -> Predicate:
    """The condition on what else there is of a request for the host."""
    match predicate:
        case Test(Host(), matcher):
            return Always() if _is_of(matcher, host) else Never()
        case Not(operand):
            return negation(_asked_for(operand, host))
        case And(operands):
            return conjunction(tuple(_asked_for(one, host) for one in operands))
        case Or(operands):
            return disjunction(tuple(_asked_for(one, host) for one in operands))
        case _:
            return predicate


def _is_of(matcher: Matcher, host: str) -> bool:
    match matcher:
        case Exact(value):
            return host == value
        case Suffix(value):
            return host.endswith(value)
        case _:
            return False
