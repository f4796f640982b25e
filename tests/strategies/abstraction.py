"""From a concrete request to the point of an encoding that stands for it: the other direction than witnesses."""

from __future__ import annotations

from meshproof.compiler.ir.matchers import Matcher
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import SpiffeId
from meshproof.compiler.ir.predicate import Host, RawAuthority, Sni
from meshproof.compiler.ir.request import Request
from meshproof.compiler.semantics import Facts
from meshproof.compiler.semantics.matching import matches
from meshproof.compiler.smt.environment import Environment
from meshproof.compiler.smt.formula import FALSE, TRUE, Point


def point_of(environment: Environment, mesh: Mesh, request: Request, facts: Facts) -> Point | None:
    """The point, None for a request of an identity that no handshake verifies, which the encoding leaves out."""
    point = [0] * len(environment.formulas.sizes)
    if facts.identity is not None and not _is_trusted(mesh, facts.identity):
        return None
    caller = _caller(environment, facts.identity)
    point[environment.caller] = next(n for n, group in enumerate(environment.local) if group >> caller & 1)
    _set_layer(environment, request, point)
    for attribute, single in environment.singles.items():
        if attribute == Host() and RawAuthority() in environment.singles:
            continue  # the same variable, divided by what both read
        values = facts.values(attribute)
        if values and attribute == RawAuthority():
            hosts = facts.values(Host()) or values
            number = _only(
                _members(dict(single.classes.masks), len(single.classes.witnesses), values[0])
                & _members(_masks_of_hosts(environment), len(single.classes.witnesses), hosts[0])
            )
            point[single.variable] = number
        elif values:
            number = _class(dict(single.classes.masks), len(single.classes.witnesses), values[0])
            point[single.variable] = number + single.may_be_absent
        else:
            assert attribute != Sni() or single.may_be_absent
    for attribute, multiple in environment.multiples.items():
        for value in facts.values(attribute) or ():
            number = _class(multiple.masks, len(multiple.variables), value)
            point[multiple.variables[number]] = 1
    if environment.issuer is not None and facts.claims is not None:
        url = dict(facts.claims.members)["iss"]
        point[environment.issuer] = 1 + environment.issuer_urls.index(str(url))
    answers = dict(request.answers)
    for name, variable in environment.answers.items():
        point[variable] = int(answers[name])
    return tuple(point)


def _set_layer(environment: Environment, request: Request, point: list[int]) -> None:
    if environment.is_http in {TRUE, FALSE}:
        return
    shape = environment.formulas.shape(environment.is_http)
    variable = shape.variable  # type: ignore[union-attr]
    point[variable] = int(request.protocol == "tcp")


def _is_trusted(mesh: Mesh, identity: str) -> bool:
    parsed = SpiffeId.parse(identity)
    return parsed is not None and parsed.trust_domain in {mesh.trust_domain, *mesh.trusts}


def _caller(environment: Environment, identity: str | None) -> int:
    callers = environment.callers
    if identity is None:
        return len(callers.classes) - 1
    for number, one in enumerate(callers.classes[:-1]):
        is_same = all(
            matches(matcher, identity) == bool(callers.mask(matcher) >> number & 1) for matcher in callers.matchers
        )
        if is_same and (one.uri == identity if one.is_declared else not _is_declared(environment, identity)):
            return number
    raise AssertionError(identity)


def _is_declared(environment: Environment, identity: str) -> bool:
    return any(one.is_declared and one.uri == identity for one in environment.callers.classes)


def _masks_of_hosts(environment: Environment) -> dict[Matcher, int]:
    single = environment.singles.get(Host())
    return {} if single is None else dict(single.masks)


def _class(masks: dict[Matcher, int], count: int, value: str) -> int:
    """The class of a value: the one that the same matchers take."""
    return _only(_members(masks, count, value))


def _members(masks: dict[Matcher, int], count: int, value: str) -> frozenset[int]:
    """The classes that the same matchers take as the value."""
    return frozenset(
        number
        for number in range(count)
        if all(matches(matcher, value) == bool(mask >> number & 1) for matcher, mask in masks.items())
    )


def _only(numbers: frozenset[int]) -> int:
    (number,) = numbers
    return number
