"""DestinationRule: versions of services, limits, ejection, balancing. How mTLS is offered is left to Istio."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import External, Layer, Service
from meshproof.compiler.ir.routing import Balance, BalanceKind, Ejection, Limits, Route
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.durations import duration
from meshproof.targets.istio.model import IstioObject, Piece

KIND = "DestinationRule"
Fields = dict[str, Value]


def destination_rules(context: Context) -> Iterator[IstioObject]:
    """One object for each service with versions, or with a route that sets something; externals have theirs apart."""
    _tell_gateways(context)
    for service in context.mesh.services:
        routes = [route for route in context.mesh.routes if route.node == service.name]
        traffic = _traffic(service, routes)
        if not service.versions and not traffic:
            continue
        spec: Fields = {"host": context.service_host(service)}
        if traffic:
            spec["trafficPolicy"] = traffic
        if service.versions:
            spec["subsets"] = [{"name": version, "labels": {"version": version}} for version in service.versions]
        subjects = [route.id for route in routes if policy(route)] or [str(service.name)]
        pieces = tuple(Piece(subject) for subject in subjects)
        name = context.name(KIND, service.namespace, str(service.name), service.origin)
        yield IstioObject(KIND, service.namespace, name, spec, pieces)


def _tell_gateways(context: Context) -> None:
    """MP701 at a gateway's route with limits: its callers are outside, and no proxy of theirs holds to anything."""
    for route in context.mesh.routes:
        if context.gateway(route.node) is not None and policy(route):
            error = NotExpressibleError(
                Feature.LIMITS,
                "limits, ejection and balance are kept by callers, and those of a gateway are outside the mesh",
                "set them in the routes of the services that it calls",
            )
            context.findings.unsupported(route.id, route.origin, error)


def _traffic(service: Service, routes: list[Route]) -> Fields:
    """A service's only port has the settings as a whole; else they are of the port, which replaces, not merges."""
    filled = port_settings(service, routes)
    if len(service.ports) == 1:
        return next(iter(filled.values()), {})
    levels = [_level(number, found) for number, found in sorted(filled.items())]
    return {"portLevelSettings": levels} if levels else {}


def port_settings(node: Service | External, routes: Iterable[Route]) -> dict[int, Fields]:
    """What routes set, by the number of the port that callers dial; a route for a port is closer than one for all."""
    settings: dict[int, Fields] = {}
    for route in sorted(routes, key=lambda one: one.port is not None):
        ports = [port for port in node.ports if _is_meant(route, port.workload, port.layer)]
        settings |= {port.number: policy(route) for port in ports}
    return {number: found for number, found in settings.items() if found}


def _level(number: int, found: Fields) -> Value:
    level: Fields = {"port": {"number": number}}
    return level | found


def _is_meant(route: Route, workload_port: int, layer: Layer) -> bool:
    return route.port == workload_port if route.port is not None else layer is not Layer.TCP


def policy(route: Route) -> Fields:
    """The settings of a route for its destination."""
    found: Fields = {}
    if route.limits is not None:
        found["connectionPool"] = _pool(route.limits)
    if route.ejection is not None:
        found["outlierDetection"] = _outlier(route.ejection)
    if route.balance is not None:
        found["loadBalancer"] = _balancer(route.balance)
    return found


def _pool(limits: Limits) -> Value:
    found: Fields = {}
    if limits.connections is not None:
        found["tcp"] = {"maxConnections": limits.connections}
    http: Fields = {}
    if limits.pending is not None:
        http["http1MaxPendingRequests"] = limits.pending
    if limits.requests is not None:
        http["http2MaxRequests"] = limits.requests
    if http:
        found["http"] = http
    return found


def _outlier(ejection: Ejection) -> Value:
    return {
        "consecutive5xxErrors": ejection.errors,
        "baseEjectionTime": duration(ejection.for_ms),
        "maxEjectionPercent": ejection.percent,
    }


def _balancer(balance: Balance) -> Value:
    match balance.kind:
        case BalanceKind.LEAST_REQUEST:
            return {"simple": "LEAST_REQUEST"}
        case BalanceKind.ROUND_ROBIN:
            return {"simple": "ROUND_ROBIN"}
        case BalanceKind.HASH:
            return {"consistentHash": {"httpHeaderName": balance.header or ""}}
