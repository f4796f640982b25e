"""Hosts as foreign files compare them, with the port that was sent: `h` and `h:*` together are the host `h`."""

from __future__ import annotations

from meshproof.compiler.ir.matchers import Exact, Prefix
from meshproof.compiler.ir.predicate import Host, Or, Predicate, RawAuthority, Test, disjunction


def with_plain_hosts(predicate: Predicate) -> Predicate:
    """The condition with such pairs as one test; what is below is left to whoever looks there."""
    if not isinstance(predicate, Or):
        return predicate
    operands = predicate.operands
    found: list[Predicate] = []
    used: set[Predicate] = set()
    for one in operands:
        name = _bare(one)
        partner = None if name is None else _with_port(name, operands)
        if name is None or partner is None:
            found.append(one)
            continue
        used.add(partner)
        found.append(Test(Host(), Exact(name, ignore_case=True)))
    return disjunction(tuple(one for one in found if one not in used))


def _bare(predicate: Predicate) -> str | None:
    match predicate:
        case Test(RawAuthority(), Exact(name)) if name and ":" not in name:
            return name.lower()
        case _:
            return None


def _with_port(name: str, operands: tuple[Predicate, ...]) -> Predicate | None:
    for one in operands:
        match one:
            case Test(RawAuthority(), Prefix(text)) if text.lower() == f"{name}:":
                return one
            case _:
                continue
    return None
