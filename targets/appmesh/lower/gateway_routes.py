"""Routes of virtual gateways: what a gate or a gateway of the policy sends on, and what it answers itself."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.targets.appmesh.lower.context import Context
from meshproof.targets.appmesh.lower.header_forms import HeaderForm, Kind, QueryForm
from meshproof.targets.appmesh.lower.path_forms import PathForm
from meshproof.targets.appmesh.lower.route_match import RouteMatch
from meshproof.targets.appmesh.model.gateway_route import (
    GatewayRoute,
    GatewayRouteHostnameMatch,
    GatewayRouteHostnameRewrite,
    GatewayRouteSpec,
    GatewayRouteTarget,
    GatewayRouteVirtualService,
    HttpGatewayRoute,
    HttpGatewayRouteAction,
    HttpGatewayRouteHeader,
    HttpGatewayRouteMatch,
    HttpGatewayRoutePrefixRewrite,
    HttpGatewayRouteRewrite,
)
from meshproof.targets.appmesh.model.shared import (
    HeaderMatchMethod,
    HttpPathMatch,
    HttpQueryParameter,
    QueryParameterMatch,
)
from meshproof.targets.appmesh.naming import REFUSED, gateway_route_name

EVERYTHING = RouteMatch(is_allowed=True, path=None)
"""Whatever comes."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """The listener of a gateway at which routes stand; `protocol` is `http` or `http2`, `host` one that is asked for.

    Without `host` none is looked at; one that begins with a dot stands for all names below it. What `keeps_host` sends
    on goes under the host that was asked for, and else under the name of the virtual service that it goes to.
    """

    gateway: str
    number: int
    protocol: str
    host: str | None = None
    keeps_host: bool = True


@dataclass(frozen=True, slots=True)
class Onward:
    """A virtual service, and its port that is called."""

    service: str
    port: int


def gateway_route(
    context: Context, at: Entrance, priority: int, taken: RouteMatch, onward: Onward | None
) -> GatewayRoute:
    """One route, with the path left as it is. What it does not allow goes to nobody, whatever host was asked for."""
    name, port = (onward.service, onward.port) if taken.is_allowed and onward is not None else (REFUSED, None)
    target = GatewayRouteTarget(GatewayRouteVirtualService(name), port)
    path, prefix = _path(taken.path)
    keeps_host = at.keeps_host and name != REFUSED
    match = HttpGatewayRouteMatch(
        headers=tuple(map(_header, taken.headers)) or None,
        hostname=_hostname(at.host),
        method=taken.method,
        path=path,
        port=at.number,
        prefix=prefix,
        query_parameters=tuple(map(_query, taken.queries)) or None,
    )
    rewrite = HttpGatewayRouteRewrite(
        hostname=GatewayRouteHostnameRewrite("DISABLED" if keeps_host else "ENABLED"),
        prefix=None if prefix is None else HttpGatewayRoutePrefixRewrite("DISABLED"),
    )
    route = HttpGatewayRoute(HttpGatewayRouteAction(target, rewrite), match)
    is_http = at.protocol == "http"
    spec = GatewayRouteSpec(None, None if is_http else route, route if is_http else None, priority)
    found = GatewayRoute(gateway_route_name(at.gateway, at.number, priority), context.mesh_name, spec, at.gateway)
    for subject in taken.subjects:
        context.place(found, subject)
    return found


def _path(form: PathForm | None) -> tuple[HttpPathMatch | None, str | None]:
    if form is None:
        return None, "/"
    return (HttpPathMatch(exact=form.text) if form.is_exact else HttpPathMatch(regex=form.text)), None


def _hostname(host: str | None) -> GatewayRouteHostnameMatch | None:
    if host is None:
        return None
    return GatewayRouteHostnameMatch(suffix=host) if host.startswith(".") else GatewayRouteHostnameMatch(exact=host)


def _header(form: HeaderForm) -> HttpGatewayRouteHeader:
    method = {
        Kind.PRESENT: None,
        Kind.EXACT: HeaderMatchMethod(exact=form.value),
        Kind.PREFIX: HeaderMatchMethod(prefix=form.value),
        Kind.SUFFIX: HeaderMatchMethod(suffix=form.value),
        Kind.REGEX: HeaderMatchMethod(regex=form.value),
    }[form.kind]
    return HttpGatewayRouteHeader(form.name, True if form.is_inverted else None, method)


def _query(form: QueryForm) -> HttpQueryParameter:
    return HttpQueryParameter(form.name, None if form.value is None else QueryParameterMatch(form.value))
