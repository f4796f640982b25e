"""Who calls what: the backends of each caller, and who answers there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Service
from meshproof.compiler.ir.mtls import MtlsMode
from meshproof.compiler.ir.names import SpiffeId
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Doors
from meshproof.targets.appmesh.lower.rows import Row


@dataclass(frozen=True, slots=True)
class Call:
    """A caller may call something of a service. `answering` are the identities that it meets: none without TLS.

    `encrypted` are the ports with TLS, if the service has others too, as they are dialled and as they are listened at:
    App Mesh does not say which of them a client policy means. None is all of them.
    """

    service: Service
    answering: tuple[SpiffeId, ...]
    encrypted: tuple[int, ...] | None = None


def calls_of(context: Context, caller: SpiffeId, rows: Iterable[Row], doors: Doors) -> tuple[Call, ...]:
    """What a workload with the identity may call, in the order of the services.

    What is known of plaintext ports is that everybody may call them: then this caller may.
    """
    found: dict[str, Call] = {}
    for service in context.mesh.services:
        own = [row for row in rows if row.service.name == service.name]
        called = [row for row in own if _may_call(caller, row)]
        if called:
            found[str(service.name)] = _call(context, service, caller, own, doors)
    return tuple(found.values())


def _may_call(caller: SpiffeId, row: Row) -> bool:
    if row.mode is MtlsMode.DISABLED:
        return not row.plaintext.is_nothing
    return any(identity == caller and not may.is_nothing for identity, may in row.known)


def _call(context: Context, service: Service, caller: SpiffeId, rows: list[Row], doors: Doors) -> Call:
    called = [row for row in rows if _may_call(caller, row)]
    own_doors = doors.for_caller(service, caller)
    behind = {door.port for door in own_doors}
    direct = [row for row in called if row.mode is not MtlsMode.DISABLED and row.port not in behind]
    answering = (*((service.identity,) if direct else ()), *((context.gate,) if own_doors else ()))
    # Whatever does not take plaintext is dialled with TLS, also where this caller is refused.
    own = {
        number for row in rows if row.mode is not MtlsMode.DISABLED for number in (row.port.number, row.port.workload)
    }
    every = sorted({*own, *(door.number for door in doors.every_of(service))})
    if any(row.mode is MtlsMode.DISABLED for row in called):
        # Whom this caller meets by plaintext alone it meets by nobody's name; at the other ports somebody answers.
        others = context.gate if doors.every_of(service) else service.identity
        return Call(service, answering or ((others,) if every else ()), tuple(every))
    return Call(service, answering)
