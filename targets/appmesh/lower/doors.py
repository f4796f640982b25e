"""Doors: where callers come in who may do some things at a port and not others.

Each class of such callers, who may all do the same, has a listener of a gate to itself, which takes nobody else. The
routes of that listener are what the class may do, and the listener of the service takes the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.residual import Dial
from meshproof.compiler.ir.authz import AuthzRule
from meshproof.compiler.ir.names import SpiffeId
from meshproof.targets.appmesh.lower.admission import judged_at_doors
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Door, Doors
from meshproof.targets.appmesh.lower.door_routes import Routed, door_routes
from meshproof.targets.appmesh.lower.gate_resources import gate_resources
from meshproof.targets.appmesh.lower.handable import advised
from meshproof.targets.appmesh.lower.quotas import Place, Wish, places
from meshproof.targets.appmesh.lower.rows import Permission, Row
from meshproof.targets.appmesh.naming import gate_name
from meshproof.targets.common.findings import NotExpressibleError

_GATES = "app-mesh.quota.gateways"
_ROUTES = "app-mesh.quota.gateway-routes"


@dataclass(frozen=True, slots=True)
class _Class:
    """Callers who may do the same at a port, by the same rules or by `twins` of them.

    `is_alone`: nobody else comes to the port.
    """

    row: Row
    callers: tuple[SpiffeId, ...]
    permission: Permission
    routed: Routed
    is_alone: bool
    twins: tuple[tuple[str, AuthzRule], ...] = ()


def doors_of(context: Context, rows: Sequence[Row]) -> Doors:
    """All doors, with what they are made of. What no route can say, and what AWS has no room for, is in the findings.

    Callers whose rules no proxy of App Mesh can judge have none.
    """
    gates = _gates(context)
    classes, placed = _placed(context, rows)
    every: list[Door] = []
    made: list[tuple[Door, Routed]] = []
    for one, place in zip(classes, placed, strict=True):
        _tell(context, one)
        if place is None:
            _tell_room(context, one, gates)
        # One without room is told of there: nothing is written, and nobody has to be told again that he has no door.
        at = place or Place(gate_name(gates + 1), one.row.port.number)
        door = Door(one.row.service, one.row.port, one.callers, at.gate, at.number)
        every.append(door)
        if place is not None:
            made.append((door, one.routed))
            _tell_number(context, one, place.number)
    return Doors(tuple(every), tuple(gate_resources(context, made)))


def without_room(context: Context, rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows of which AWS has no room for a door."""
    classes, placed = _placed(context, rows)
    return tuple(one.row for one, place in zip(classes, placed, strict=True) if place is None)


def _placed(context: Context, rows: Sequence[Row]) -> tuple[tuple[_Class, ...], tuple[Place | None, ...]]:
    """Each class with the place of its door, None where there is no room left."""
    classes = tuple(one for row in rows for one in _classes(context, row))
    options = context.options
    wishes = tuple(map(_wish, classes))
    return classes, places(wishes, _gates(context), options.gateway_routes, options.first_door_port)


def _gates(context: Context) -> int:
    return max(context.options.gateways - len(context.mesh.gateways), 0)


def _classes(context: Context, row: Row) -> Iterator[_Class]:
    found: dict[object, list[tuple[SpiffeId, Permission]]] = {}
    for identity, may in judged_at_doors(context, row):
        if not may.unjudgeable:
            found.setdefault(may.meaning, []).append((identity, may))
    strangers = (row.strangers, row.plaintext)
    is_alone = len(found) == 1 and not any(may.is_everything for may in (*strangers, *(may for _, may in row.known)))
    for members in found.values():
        permission = members[0][1]
        callers = tuple(sorted(identity for identity, _ in members))
        twins = tuple(dict.fromkeys(pair for _, may in members for pair in _twins(permission, may)))
        yield _Class(row, callers, permission, door_routes(permission), is_alone, twins)


def _twins(permission: Permission, other: Permission) -> Iterator[tuple[str, AuthzRule]]:
    """The rules of the other permission that ask for what a rule of this one does, each with the one of this."""
    for own, theirs in ((permission.allowed, other.allowed), (permission.denied, other.denied)):
        for rule in theirs:
            yield from ((str(one.id), rule) for one in own if one.content == rule.content and one.id != rule.id)


def _wish(one: _Class) -> Wish:
    ports = frozenset(port.number for port in one.row.service.ports)
    number = one.row.port.number if one.is_alone else None
    return Wish(str(one.row.service.name), len(one.routed.routes), number, ports)


def _tell(context: Context, one: _Class) -> None:
    for found in one.routed.losses:
        loss = replace(found, at=one.row.place)
        context.findings.lose(loss)
        for subject, rule in one.twins:
            if subject == loss.subject:
                context.findings.lose(replace(loss, subject=str(rule.id), origin=rule.origin))
    for rule, error in one.routed.problems:
        advice = advised(context, one.row, error.advice)
        told = NotExpressibleError(error.feature, error.reason, advice)
        context.findings.unsupported(str(rule.id), rule.origin, told)


def _tell_room(context: Context, one: _Class, gates: int) -> None:
    """An error before AWS says it, at each rule that makes the door."""
    options = context.options
    needed = len(one.routed.routes)
    place = f"{one.row.service.name}:{one.row.port.workload}"
    reason = (
        f"its door to `{place}` needs {needed} gateway routes, and there is no room left in {gates} gates of "
        f"{options.gateway_routes} routes each"
    )
    advice = f"ask for less at once, or have the quotas raised and say so with `{_GATES}` and `{_ROUTES}`"
    advice = advised(context, one.row, advice) or advice
    for rule in (*one.permission.allowed, *one.permission.denied):
        context.findings.unsupported(str(rule.id), rule.origin, NotExpressibleError(Feature.ALLOW, reason, advice))


def _tell_number(context: Context, one: _Class, number: int) -> None:
    """Who has to dial another number than the policy says, learns it here and nowhere else."""
    port = one.row.port
    if number == port.number:
        return
    context.dials.extend(Dial(str(one.row.service.name), port.number, caller.uri, number) for caller in one.callers)
