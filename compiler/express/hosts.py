"""Hosts as foreign files compare them, with the port that was sent.

`h` and `h:*` together are the host `h`, and so is an expression that allows for a last dot, a port, and any case.
"""

from __future__ import annotations

import re

from meshproof.compiler.ir.matchers import Exact, Prefix, Regex
from meshproof.compiler.ir.predicate import Host, Or, Predicate, RawAuthority, Test, disjunction

_AS_SENT = re.compile(r"\(\?i:((?:[A-Za-z0-9_-]|\\[.-])+)\)\\\.\?\(\?::\[0-9\]\*\)\?")
"""A name with all forms in which it may be sent."""


def with_plain_hosts(predicate: Predicate) -> Predicate:
    """The condition with such forms as one test; what is below is left to whoever looks there."""
    match predicate:
        case Test(RawAuthority(), Regex(text)) if (found := _AS_SENT.fullmatch(text)) is not None:
            return Test(Host(), Exact(found[1].replace("\\", "").lower(), ignore_case=True))
        case Or():
            return _with_pairs(predicate)
        case _:
            return predicate


def _with_pairs(predicate: Or) -> Predicate:
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
