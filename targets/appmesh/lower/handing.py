"""Ports that are handed over: the sidecar behind the node judges there what no proxy of App Mesh can.

A proxy of App Mesh that ends TLS tells nobody who called. So at such a port it ends none: its listener passes bytes on,
and what they are the sidecar sees as the caller sent it. But that comes from the node's own address.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Layer, Service, ServicePort
from meshproof.dsl.diagnostic import Severity
from meshproof.targets.appmesh.lower.admission import admission
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.doors import doors_of, without_room
from meshproof.targets.appmesh.lower.handable import accepted, obstacle
from meshproof.targets.appmesh.lower.quotas import OF_PROXIES
from meshproof.targets.appmesh.lower.refusals import tell_unjudged
from meshproof.targets.appmesh.lower.rows import Row
from meshproof.targets.appmesh.options import OFFSET, Residue
from meshproof.targets.appmesh.residue.wiring import InboundPort, Wiring
from meshproof.targets.common.findings import NotExpressibleError

_LAST = 65535
_MANY = 1000


def hand_over(context: Context, rows: Sequence[Row]) -> None:
    """Choose the ports, if that is asked for: those at which something would be refused that the sidecar can judge."""
    if context.options.residue is not Residue.NATIVE:
        return
    able = [row for row in rows if obstacle(context, row) is None]
    _hand(context, (row for row in able if _is_refused(context, row)))
    while crowded := [row for row in without_room(context, rows) if row in able]:
        _hand(context, crowded)


def wirings(context: Context) -> tuple[Wiring, ...]:
    """The sidecars, by service. Where the application of a port cannot listen it is MP709."""
    return tuple(
        Wiring(
            str(service.name),
            context.node(service),
            ports,
            tuple((str(one.name), str(one.jwks)) for one in accepted(context, service)),
            context.options.files,
            context.options.agent,
        )
        for service in context.mesh.services
        if (ports := tuple(_inbound(context, service)))
    )


def tell_shared_numbers(context: Context, rows: Sequence[Row]) -> None:
    """MP701 where a caller's proxy would have to tell two services apart by connections to one number.

    Of connections it knows the port alone (App Mesh roadmap, issue 195). Of requests it knows more: MP708 then.
    """
    for row in rows:
        if not context.is_handed(row.service, row.port):
            continue
        sharing = [other for other in rows if _is_mixed_up(row, other)]
        place = f"{row.service.name}:{row.port.number}"
        for other in sharing:
            name = f"{other.service.name}:{other.port.number}"
            if context.is_handed(other.service, other.port) or other.port.layer is Layer.TCP:
                reason = f"callers of both cannot tell its connections from those of `{name}`"
                error = NotExpressibleError(Feature.ALLOW, reason, "give one of them a number of its own")
                context.findings.unsupported(place, row.port.origin, error)
            else:
                message = (
                    f"callers tell `{place}` from `{name}` by their number alone, which is one: give it another where "
                    "both are called"
                )
                context.findings.residual(place, row.port.origin, message)


def _is_mixed_up(row: Row, other: Row) -> bool:
    """Whether somebody calls both at the same number."""
    if row.service.name == other.service.name or row.port.number != other.port.number:
        return False
    callers = {identity for identity, may in row.known if not may.is_nothing}
    return any(identity in callers and not may.is_nothing for identity, may in other.known)


def _hand(context: Context, rows: Iterator[Row] | list[Row]) -> None:
    context.handed.update((row.service.name, row.port.workload) for row in rows)


def _is_refused(context: Context, row: Row) -> bool:
    """Whether App Mesh could not keep what the policy says at the port, whatever else there is."""
    roomy = replace(context.options, gateways=_MANY, gateway_routes=_MANY)
    tried = replace(
        context, options=roomy, findings=replace(context.findings, diagnostics=[], losses=[]), pieces=[], kept=[]
    )
    doors = doors_of(tried, (row,))
    tell_unjudged(tried, (row,), doors)
    admission(tried, row, has_doors=bool(doors.every))
    return any(one.severity is Severity.ERROR for one in tried.findings.diagnostics)


def _inbound(context: Context, service: Service) -> Iterator[InboundPort]:
    taken = {port.workload for port in service.ports} | OF_PROXIES
    handed: dict[int, ServicePort] = {}
    for port in service.ports:
        if context.is_handed(service, port):
            handed.setdefault(port.workload, port)
    for number, port in sorted(handed.items()):
        found = number + context.options.offset
        if found > _LAST or found in taken:
            message = f"the application of `{service.name}:{number}` cannot listen at {found} behind its sidecar"
            advice = f"give another distance with `--option {OFFSET}=NUMBER`"
            context.findings.add("MP709", Severity.ERROR, message, str(service.name), port.origin, advice)
        yield InboundPort(number, found)
