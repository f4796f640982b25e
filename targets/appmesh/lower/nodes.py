"""Virtual nodes: a workload, or each of its versions, with the listeners that keep the policy and whom it calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Layer, Protocol, Service, ServicePort
from meshproof.targets.appmesh.lower.admission import Admission, admission
from meshproof.targets.appmesh.lower.calls import Call, calls_of
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.door import Doors
from meshproof.targets.appmesh.lower.rows import Row
from meshproof.targets.appmesh.lower.settings import ejection, pool, timeout
from meshproof.targets.appmesh.lower.tls import PLAINTEXT, client_policy, listener_tls
from meshproof.targets.appmesh.model.shared import PortMapping
from meshproof.targets.appmesh.model.virtual_node import (
    Backend,
    BackendDefaults,
    ClientPolicy,
    DnsServiceDiscovery,
    Listener,
    ServiceDiscovery,
    VirtualNode,
    VirtualNodeSpec,
    VirtualServiceBackend,
)
from meshproof.targets.appmesh.naming import gate_node_name, host_name
from meshproof.targets.common.findings import NotExpressibleError

_PROTOCOLS = {Protocol.HTTP2: "http2", Protocol.GRPC: "grpc"}


def spoken(port: ServicePort) -> str:
    """What App Mesh calls what is spoken at a port."""
    return "tcp" if port.layer is Layer.TCP else _PROTOCOLS.get(port.protocol, "http")


def spoken_at(context: Context, service: Service, port: ServicePort) -> str:
    """The same where the node's proxy may have to pass connections on unread."""
    return "tcp" if context.is_handed(service, port) else spoken(port)


def virtual_nodes(
    context: Context, rows: Sequence[Row], doors: Doors, outside: Callable[[Service], Iterable[Backend]]
) -> Iterator[VirtualNode]:
    """The nodes of all services, sorted by service and version; `outside` tells what each calls besides services."""
    for service in context.mesh.services:
        own = [row for row in rows if row.service.name == service.name]
        listeners = tuple(_listeners(context, own, doors))
        inside = (_backend(context, service, one) for one in _calls(context, service, rows, doors))
        spec = VirtualNodeSpec(
            backend_defaults=BackendDefaults(client_policy(context, service.identity, ())),
            backends=(*inside, *outside(service)) or None,
            listeners=listeners or None,
        )
        for version in service.versions or (None,):
            name = context.node(service, version)
            context.claim("virtual node", name, f"{service.name} {version or ''}".strip(), service.origin)
            host = context.host(service) if version is None else context.version_host(service, version)
            if listeners:
                context.claim("address", host, f"{service.name} {version or ''}".strip(), service.origin)
            # App Mesh wants to know where a node is as soon as it listens.
            found = ServiceDiscovery(dns=DnsServiceDiscovery(host)) if listeners else None
            node = VirtualNode(context.mesh_name, replace(spec, service_discovery=found), name)
            context.place(node, str(service.name))
            yield node


def gate_nodes(context: Context, doors: Doors) -> Iterator[VirtualNode]:
    """Where callers find the gates. A proxy that takes itself for one takes in nobody else than the gate does."""
    for gate in sorted({door.gate for door in doors.every}):
        host = host_name(context.options.discovery, gate, context.gate_namespace)
        context.claim("address", host, gate, context.mesh.origin)
        own = sorted((door for door in doors.every if door.gate == gate), key=lambda door: door.number)
        listeners = tuple(
            Listener(
                PortMapping(door.number, door.protocol),
                timeout=timeout(door.protocol),
                tls=listener_tls(
                    context, context.gate, Admission("STRICT", tuple(sorted(one.uri for one in door.callers)))
                ),
            )
            for door in own
        )
        discovery = ServiceDiscovery(dns=DnsServiceDiscovery(host))
        spec = VirtualNodeSpec(listeners=listeners, service_discovery=discovery)
        yield VirtualNode(context.mesh_name, spec, gate_node_name(gate))


def _calls(context: Context, service: Service, rows: Sequence[Row], doors: Doors) -> tuple[Call, ...]:
    return calls_of(context, service.identity, rows, doors)


def _listeners(context: Context, rows: Sequence[Row], doors: Doors) -> Iterator[Listener]:
    """One for every port that the workload listens at, called by whatever numbers."""
    seen: dict[int, str] = {}
    for row in rows:
        port, protocol = row.port, spoken_at(context, row.service, row.port)
        if port.workload in seen:
            if seen[port.workload] != protocol:
                reason = f"its port {port.workload} would have to speak two protocols"
                error = NotExpressibleError(Feature.ALLOW, reason, "declare it with one")
                context.findings.unsupported(str(row.service.name), port.origin, error)
            continue
        seen[port.workload] = protocol
        has_doors = any(doors.of(row.service, one.port) for one in rows if one.port.workload == port.workload)
        who = admission(context, row, has_doors=has_doors)
        yield Listener(
            PortMapping(port.workload, protocol),
            connection_pool=pool(context, row.service, port, protocol),
            outlier_detection=ejection(context, row.service, port),
            timeout=timeout(protocol),
            tls=listener_tls(context, row.service.identity, who),
        )


def _backend(context: Context, caller: Service, call: Call) -> Backend:
    return Backend(VirtualServiceBackend(context.host(call.service), _policy(context, caller, call)))


def _policy(context: Context, caller: Service, call: Call) -> ClientPolicy:
    if not call.answering:
        return PLAINTEXT
    found = client_policy(context, caller.identity, call.answering)
    assert found.tls is not None
    return replace(found, tls=replace(found.tls, ports=call.encrypted))
