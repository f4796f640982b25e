"""What App Mesh does not enforce in a set of resources, each point with the names that it concerns.

The points and their numbers are those of the design (residual list R1 to R10; R9 was found to be none), R11 for
what the network closes, R12 for what gateways tell themselves, and R13 for what sidecars leave. Only those that apply
are given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from meshproof.compiler.backend.residual import Residual
from meshproof.targets.appmesh.model.gateway_route import GatewayRoute, GatewayRouteTarget
from meshproof.targets.appmesh.model.mesh import Mesh
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway, VirtualGatewayListener
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import REFUSED, SERVICE_HEADER
from meshproof.targets.appmesh.values import Value

# The default quotas of AWS per mesh and per gateway (L-87E74146, L-F6F26D09).
GATEWAYS = 3
GATEWAY_ROUTES = 10


COOPERATIVE = "of the policy this is cooperative: callers' own proxies alone keep it, and nobody enforces it"


def residuals(
    resources: Iterable[Value],
    gates: AbstractSet[str] = frozenset(),
    kept: Iterable[str] = (),
    *,
    is_network_closed: bool = False,
) -> tuple[Residual, ...]:
    """The points that apply, in the order of the list.

    `gates` are virtual gateways that judge calls inside the mesh; `kept` is what of the policy callers alone keep.
    With `is_network_closed` ports without a listener are closed beside the proxies, which has points of its own.
    """
    given = tuple(resources)
    of_policy = ("R2", COOPERATIVE, _sorted(kept))
    points = (
        *(() if is_network_closed else _bypasses(given)),
        of_policy,
        *_kept_by_callers(given),
        *_gated(given, gates),
        *_always(given),
        *_named(given),
        *_quotas(given),
    )
    return tuple(Residual(code, text, names) for code, text, names in sorted(points, key=_place) if names)


_Point = tuple[str, str, tuple[str, ...]]


def _bypasses(given: Sequence[Value]) -> Iterator[_Point]:
    gateways = _sorted(one.virtual_gateway_name for one in given if isinstance(one, VirtualGateway))
    yield "R1", "ports 15001 and 9901 of the gateway must be closed: who reaches them passes by its routes", gateways
    nodes = _sorted(one.virtual_node_name for one in given if isinstance(one, VirtualNode))
    yield "R7", "ports without a listener skip the proxy: the network alone closes them", nodes


def _named(given: Sequence[Value]) -> Iterator[_Point]:
    """Where the host stays. Routes that refuse and those of gates name the virtual service as the host."""
    routes = (one for one in given if isinstance(one, GatewayRoute) and _keeps_host(one))
    gateways = _sorted(one.virtual_gateway_name for one in routes)
    text = f"a header `{SERVICE_HEADER}` from outside must be taken off in front of the gateway, which sends by it"
    yield "R12", text, gateways


def _keeps_host(one: GatewayRoute) -> bool:
    for route in (one.spec.http_route, one.spec.http2_route):
        rewrite = None if route is None else route.action.rewrite
        if rewrite is not None and rewrite.hostname is not None:
            return rewrite.hostname.default_target_hostname == "DISABLED"
    return False


def _kept_by_callers(given: Sequence[Value]) -> Iterator[_Point]:
    nodes = (one.virtual_node_name for one in given if isinstance(one, VirtualNode) and one.spec.backends)
    yield "R2", "backends are kept by the caller's own proxy, not by the server", _sorted(nodes)
    routes = (f"{one.virtual_router_name}/{one.route_name}" for one in given if isinstance(one, Route))
    yield "R2", "routes are kept by the caller's own proxy, not by the server", _sorted(routes)


def _gated(given: Sequence[Value], gates: AbstractSet[str]) -> Iterator[_Point]:
    routes = [one for one in given if isinstance(one, GatewayRoute)]
    names = (f"{one.virtual_gateway_name}/{one.gateway_route_name}" for one in routes)
    yield "R3", "paths with %2F or matrix parameters are matched as they stand", _sorted(names)
    reached = (name for one in routes if one.virtual_gateway_name in gates for name in _reached(one))
    yield "R4", "the service sees the gate, not the caller", _sorted(reached)
    doors = (one for one in given if isinstance(one, VirtualGateway) and one.virtual_gateway_name in gates)
    dialled = (_dialled(one.virtual_gateway_name, door) for one in doors for door in one.spec.listeners)
    yield "R5", "each caller dials the port of its own door", _sorted(dialled)


def _reached(one: GatewayRoute) -> Iterator[str]:
    for route in (one.spec.http_route, one.spec.http2_route, one.spec.grpc_route):
        if route is not None:
            target: GatewayRouteTarget = route.action.target
            if target.virtual_service.virtual_service_name != REFUSED:
                yield target.virtual_service.virtual_service_name


def _dialled(gate: str, door: VirtualGatewayListener) -> str:
    # Any other mode lets plaintext in, whatever names are listed.
    validation = door.tls.validation if door.tls and door.tls.mode == "STRICT" else None
    names = validation.subject_alternative_names if validation else None
    callers = ", ".join(sorted(names.match.exact)) if names else "anyone"
    return f"{gate}:{door.port_mapping.port} <- {callers}"


def _always(given: Sequence[Value]) -> Iterator[_Point]:
    meshes = _sorted(one.mesh_name for one in given if isinstance(one, Mesh))
    yield "R6", "a refused request is answered 404 and a refused identity by the end of TLS, not 403", meshes
    yield "R7", "uid 1337, ignored ports and addresses and *.amazonaws.com are outside what proxies keep", meshes
    yield "R8", "listeners for HTTP take upgrades to websockets", _sorted(_http_listeners(given))


def _http_listeners(given: Sequence[Value]) -> Iterator[str]:
    for one in given:
        if isinstance(one, VirtualNode):
            for node_port in (each.port_mapping for each in one.spec.listeners or ()):
                if node_port.protocol == "http":
                    yield f"{one.virtual_node_name}:{node_port.port}"
        elif isinstance(one, VirtualGateway):
            for port in (each.port_mapping for each in one.spec.listeners):
                if port.protocol == "http":
                    yield f"{one.virtual_gateway_name}:{port.port}"


def _quotas(given: Sequence[Value]) -> Iterator[_Point]:
    meshes = Counter(one.mesh_name for one in given if isinstance(one, VirtualGateway))
    full = (f"{name}: {count} of {GATEWAYS}" for name, count in meshes.items() if count >= GATEWAYS)
    yield "R10", "the default quota of gateways in a mesh is used up", _sorted(full)
    routes = Counter(one.virtual_gateway_name for one in given if isinstance(one, GatewayRoute))
    full = (f"{name}: {count} of {GATEWAY_ROUTES}" for name, count in routes.items() if count >= GATEWAY_ROUTES)
    yield "R10", "the default quota of routes of a gateway is used up", _sorted(full)


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))


def _place(point: _Point) -> int:
    return number_of(point[0])


def number_of(code: str) -> int:
    """Where a point stands in the list."""
    return int(code.removeprefix("R"))
