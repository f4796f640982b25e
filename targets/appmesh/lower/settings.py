"""What routes of the policy set for the workloads that they lead to: bounds, ejection, timeouts."""

from __future__ import annotations

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Destination, Layer, Service, ServicePort
from meshproof.compiler.ir.routing import Limits, Route
from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.model.shared import Duration, GrpcTimeout, HttpTimeout
from meshproof.targets.appmesh.model.virtual_node import (
    ListenerTimeout,
    OutlierDetection,
    VirtualNodeConnectionPool,
    VirtualNodeGrpcConnectionPool,
    VirtualNodeHttp2ConnectionPool,
    VirtualNodeHttpConnectionPool,
    VirtualNodeTcpConnectionPool,
)
from meshproof.targets.common.findings import NotExpressibleError

NO_LIMIT = Duration("ms", 0)
"""A value of 0 disables a timeout (user guide, "Virtual nodes"); without one App Mesh ends requests after 15 s."""

_INTERVAL = Duration("s", 10)
"""How often Envoy looks for hosts to take back, where nothing is said (`OutlierDetection.interval`)."""


def route_of(context: Context, service: Service, port: ServicePort) -> Route | None:
    """The route of a port: its own, else that of all ports for requests."""
    own = [one for one in context.mesh.routes if one.node == service.name]
    closest = next((one for one in own if one.port == port.workload), None)
    if closest is not None or port.layer is Layer.TCP:
        return closest
    return next((one for one in own if one.port is None), None)


def timeout(protocol: str) -> ListenerTimeout | None:
    """Listeners end no request: timeouts are those of routes."""
    match protocol:
        case "grpc":
            return ListenerTimeout(grpc=GrpcTimeout(per_request=NO_LIMIT))
        case "http":
            return ListenerTimeout(http=HttpTimeout(per_request=NO_LIMIT))
        case "http2":
            return ListenerTimeout(http2=HttpTimeout(per_request=NO_LIMIT))
        case _:
            return None


def pool(context: Context, service: Service, port: ServicePort, protocol: str) -> VirtualNodeConnectionPool | None:
    """The bounds of a listener; a bound that App Mesh does not know there is in the findings."""
    route = route_of(context, service, port)
    if route is None or route.limits is None:
        return None
    found, foreign = _bounds(route.limits, protocol)
    if foreign:
        reason = f"at a port for {protocol} it has no bound on {' and '.join(foreign)}"
        error = NotExpressibleError(Feature.LIMITS, reason, "leave that out")
        at = Destination(service.name, (port.workload,))
        context.kept_nowhere(route.id, route.origin, error, *(f"limit {word}" for word in foreign), at=at)
    return found


def _bounds(limits: Limits, protocol: str) -> tuple[VirtualNodeConnectionPool | None, list[str]]:
    given = {"connections": limits.connections, "pending": limits.pending, "requests": limits.requests}
    bounds = {word: number for word, number in given.items() if number is not None}
    requests, connections, pending = limits.requests, limits.connections, limits.pending
    if protocol == "grpc" and requests is not None:
        found, known = VirtualNodeConnectionPool(grpc=VirtualNodeGrpcConnectionPool(requests)), {"requests"}
    elif protocol == "http2" and requests is not None:
        found, known = VirtualNodeConnectionPool(http2=VirtualNodeHttp2ConnectionPool(requests)), {"requests"}
    elif protocol == "http" and connections is not None:
        own = VirtualNodeHttpConnectionPool(connections, pending)
        found, known = VirtualNodeConnectionPool(http=own), {"connections", "pending"}
    elif protocol == "tcp" and connections is not None:
        found, known = VirtualNodeConnectionPool(tcp=VirtualNodeTcpConnectionPool(connections)), {"connections"}
    else:
        return None, list(bounds)
    return found, [word for word in bounds if word not in known]


def ejection(context: Context, service: Service, port: ServicePort) -> OutlierDetection | None:
    """When callers leave an endpoint out for a while."""
    route = route_of(context, service, port)
    if route is None or route.ejection is None:
        return None
    if context.is_handed(service, port):
        reason = "whoever passes connections on unread sees no answer that is an error"
        error = NotExpressibleError(Feature.LIMITS, reason, f"leave the ejection out of `{route.id}`")
        context.findings.unsupported(route.id, route.origin, error)
    own = route.ejection
    return OutlierDetection(Duration("ms", own.for_ms), _INTERVAL, own.percent, own.errors)
