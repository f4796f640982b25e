"""What is outside of the mesh: a node and a virtual service for each host, and backends of exactly who may call it.

Callers' own proxies keep that, and nobody else. Of what they may ask there App Mesh tells no two callers apart, and it
knows hosts by name alone: by the `Host` of requests without TLS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.backend.loss import Direction, Loss
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, External, Protocol, Service, ServicePort
from meshproof.compiler.ir.judgement import Judgement
from meshproof.compiler.ir.mesh import Egress
from meshproof.targets.appmesh.lower.callers import Known
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.nodes import spoken
from meshproof.targets.appmesh.lower.routes import to_node
from meshproof.targets.appmesh.lower.rows import permission
from meshproof.targets.appmesh.lower.settings import timeout
from meshproof.targets.appmesh.lower.tls import PLAINTEXT
from meshproof.targets.appmesh.model.route import Route, RouteSpec
from meshproof.targets.appmesh.model.shared import PortMapping
from meshproof.targets.appmesh.model.virtual_node import (
    Backend,
    DnsServiceDiscovery,
    Listener,
    ServiceDiscovery,
    VirtualNode,
    VirtualNodeSpec,
    VirtualServiceBackend,
)
from meshproof.targets.appmesh.model.virtual_router import VirtualRouter, VirtualRouterListener, VirtualRouterSpec
from meshproof.targets.appmesh.model.virtual_service import (
    VirtualRouterServiceProvider,
    VirtualService,
    VirtualServiceProvider,
    VirtualServiceSpec,
)
from meshproof.targets.appmesh.naming import outside_name, router_name
from meshproof.targets.appmesh.values import Value
from meshproof.targets.common.findings import NotExpressibleError

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")
_PLAIN = frozenset((Protocol.HTTP, Protocol.HTTP2, Protocol.GRPC))


@dataclass(frozen=True, slots=True)
class Outside:
    """A port of something outside that can be said, and the services whose callers may ask for anything there."""

    external: External
    port: ServicePort
    callers: tuple[Service, ...]


def outside(context: Context) -> tuple[Outside, ...]:
    """All of it that somebody may call. What cannot be said of a rule is a loss; the rest is kept by callers."""
    found: list[Outside] = []
    for external in context.mesh.externals:
        for port in external.ports:
            rules = tuple(_rules(context, external, port))
            reason = _reason(context, external, port)
            if reason is not None:
                _lose(context, external, port, rules, f"`{external.name}` is not reached on {port.number}: {reason}")
                continue
            callers = tuple(one for one in context.mesh.services if _may(context, one, external, port))
            apart = [one for one in context.mesh.services if _is_judged(context, one, external, port)]
            if apart:
                names = ", ".join(f"`{one.name}`" for one in apart)
                _lose(
                    context,
                    external,
                    port,
                    rules,
                    f"{names} may ask for some of `{external.name}` alone, and does not get there",
                )
            if callers:
                found.append(Outside(external, port, callers))
                _tell_kept(context, rules)
    return tuple(found)


def _rules(context: Context, external: External, port: ServicePort) -> Iterator[AuthzRule]:
    for rule in context.mesh.rules:
        is_aimed = any(
            one.node == external.name and (one.ports is None or port.workload in one.ports) for one in rule.destinations
        )
        if is_aimed and rule.effect is Effect.ALLOW and rule.is_in_force(context.day):
            yield rule


def _reason(context: Context, external: External, port: ServicePort) -> str | None:
    """Why App Mesh cannot say it; None if it can."""
    if context.mesh.egress is not Egress.CLOSED or context.require is not Judgement.COOPERATIVE:
        return "callers alone would keep whom it lets out"
    if external.via is not None:
        return "no gateway of it leads outside"
    if not all(_HOST.fullmatch(host) for host in external.hosts):
        return "its proxies know whole names of hosts alone"
    if port.protocol not in _PLAIN or port.is_originated:
        return "its proxies look into no TLS, and start none that the host's authority is asked for"
    if any(route.node == external.name for route in context.mesh.routes):
        return "its routes are those of services"
    return None


def _may(context: Context, caller: Service, external: External, port: ServicePort) -> bool:
    return permission(context.mesh, context.day, external, port, Known(caller.identity)).is_everything


def _is_judged(context: Context, caller: Service, external: External, port: ServicePort) -> bool:
    """Whether the caller may ask for something, and not for everything."""
    may = permission(context.mesh, context.day, external, port, Known(caller.identity))
    return not may.is_everything and bool(may.allowed or may.narrowed or may.unjudgeable)


def _lose(context: Context, external: External, port: ServicePort, rules: Sequence[AuthzRule], message: str) -> None:
    at = Destination(external.name, (port.workload,))
    for rule in rules:
        context.findings.lose(Loss(Feature.EXTERNAL, Direction.STRICTER, str(rule.id), message, rule.origin, at=at))


def _tell_kept(context: Context, rules: Sequence[AuthzRule]) -> None:
    for rule in rules:
        reason = "whom callers reach outside is kept by their own proxies alone (backends and `DROP_ALL`)"
        context.kept_by_callers(f"rule {rule.id}", rule.origin, NotExpressibleError(Feature.EXTERNAL, reason))


def outside_backends(found: Sequence[Outside], caller: Service) -> Iterator[Backend]:
    """What of the outside a service calls, without TLS, each host once."""
    hosts = (host for one in found if caller in one.callers for host in one.external.hosts)
    yield from (Backend(VirtualServiceBackend(host, PLAINTEXT)) for host in dict.fromkeys(hosts))


def outside_resources(context: Context, found: Sequence[Outside]) -> Iterator[Value]:
    """The nodes, and what leads to them. A caller of one port of a host may call none of its others by a backend."""
    for external in dict.fromkeys(one.external for one in found):
        own = tuple(one for one in found if one.external == external)
        for host in external.hosts:
            yield from _host(context, external, host, own)


def _host(context: Context, external: External, host: str, own: Sequence[Outside]) -> Iterator[Value]:
    subject, name, router = str(external.name), outside_name(str(external.name), host), router_name(host)
    context.claim("virtual node", name, subject, external.origin)
    context.claim("virtual service", host, subject, external.origin)
    context.claim("address", host, subject, external.origin)
    listeners: dict[int, Listener] = {}
    for one in own:
        protocol = spoken(one.port)
        listeners[one.port.workload] = Listener(PortMapping(one.port.workload, protocol), timeout=timeout(protocol))
    spec = VirtualNodeSpec(
        listeners=tuple(listeners.values()), service_discovery=ServiceDiscovery(dns=DnsServiceDiscovery(host))
    )
    node = VirtualNode(context.mesh_name, spec, name)
    mappings = tuple(VirtualRouterListener(PortMapping(one.port.number, spoken(one.port))) for one in own)
    made: list[Value] = [node, VirtualRouter(context.mesh_name, VirtualRouterSpec(mappings), router)]
    for priority, one in enumerate(own):
        way = to_node(context, subject, spoken(one.port), one.port.number, (name, one.port.workload))
        spec_of_route = RouteSpec(priority=priority, **way.spec)
        made.append(Route(context.mesh_name, f"port-{one.port.number}-{priority}", spec_of_route, router))
    provider = VirtualServiceProvider(virtual_router=VirtualRouterServiceProvider(router))
    made.append(VirtualService(context.mesh_name, VirtualServiceSpec(provider), host))
    for resource in made:
        context.place(resource, subject)
        yield resource
