"""What proxies of App Mesh do with one request, worked out from the template alone: no lowering, no lift, no solver.

Sources: App Mesh user guide (TLS, virtual gateways, routes) and API reference; Envoy 1.40 as measured for routes,
headers and query parameters. Of the project there are the names of resources, and what Envoy makes of a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request, RequestProtocol
from meshproof.compiler.patterns.istio_paths import IstioMode, istio_path
from meshproof.compiler.patterns.refusal import PatternRefused
from meshproof.targets.appmesh.naming import gateway_name, node_name

Json = Mapping[str, Any]
_KINDS = ("HttpRoute", "Http2Route", "GrpcRoute", "TcpRoute")
_STRAY = re.compile("[\udc80-\udcff]")
_SDS = "spiffe://"


@dataclass(frozen=True, slots=True)
class End:
    """A listener of a virtual node."""

    node: str
    port: int


class Proxies:
    """All proxies of one template. `is_joined`: lines of a repeated header are compared as one value."""

    def __init__(self, template: Json, mesh: Mesh, *, is_joined: bool) -> None:
        self._mesh = mesh
        self._is_joined = is_joined
        own = [
            (one["Type"].removeprefix("AWS::AppMesh::"), one["Properties"]) for one in template["Resources"].values()
        ]
        self._nodes = {one["VirtualNodeName"]: one["Spec"] for kind, one in own if kind == "VirtualNode"}
        self._gateways = {one["VirtualGatewayName"]: one["Spec"] for kind, one in own if kind == "VirtualGateway"}
        services = (one for kind, one in own if kind == "VirtualService")
        self._services = {one["VirtualServiceName"]: one["Spec"].get("Provider") for one in services}
        self._routes = [(one["VirtualRouterName"], one["Spec"]) for kind, one in own if kind == "Route"]
        self._gateway_routes = [(one["VirtualGatewayName"], one["Spec"]) for kind, one in own if kind == "GatewayRoute"]
        self._edges = {gateway_name(str(one.name), one.namespace): one for one in mesh.gateways}

    def lets_in(self, request: Request) -> bool | None:
        """Whether the request comes to its workload; None if nobody sends it: a gateway sends what its routes say."""
        node = self._mesh.node(request.destination)
        if isinstance(node, Gateway):
            return self._comes_to(node, request)
        assert isinstance(node, Service)
        sender = next((one for one in self._mesh.gateways if one.identity.uri == request.source.identity), None)
        if sender is not None and not self._sends(sender, node, request):
            return None
        answers = {self._is_let_in(name, request) for name in self._names(node)}
        (answer,) = answers  # versions of one service take the same
        return answer

    def is_passed_on(self, request: Request) -> bool:
        """Whether some gate passes it on."""
        node = self._mesh.node(request.destination)
        return isinstance(node, Service) and any(self._is_passed_on(one, request) for one in self._names(node))

    def _names(self, service: Service) -> Iterator[str]:
        for version in service.versions or (None,):
            yield node_name(service.platform_name, service.namespace, version)

    def _is_let_in(self, node: str, request: Request) -> bool:
        listener = _at(self._nodes[node], request.port)
        if listener is None:
            return False
        return _takes(listener, request.source.identity) or self._is_passed_on(node, request)

    def _is_passed_on(self, node: str, request: Request) -> bool:
        """By any door of any gate: a caller may dial each."""
        if request.protocol is RequestProtocol.TCP:
            return False
        for name, gate in self._gateways.items():
            if name in self._edges:
                continue
            for door in gate["Listeners"]:
                if not _takes(door, request.source.identity):
                    continue
                ends = self._led(name, door["PortMapping"]["Port"], request)
                if End(node, request.port) in ends and self._is_met(gate, node, request.port):
                    return True
        return False

    def _is_met(self, gateway: Json, node: str, port: int) -> bool:
        """Whether the gateway and the node take each other's certificates."""
        tls = gateway["BackendDefaults"]["ClientPolicy"]["TLS"]
        listener = _at(self._nodes[node], port)
        assert listener is not None
        if not _takes(listener, tls["Certificate"]["SDS"]["SecretName"]):
            return False
        if "TLS" not in listener:
            return not tls.get("Enforce", True)
        return _is_named(tls["Validation"], listener["TLS"]["Certificate"]["SDS"]["SecretName"])

    def _sends(self, gateway: Gateway, service: Service, request: Request) -> bool:
        """Whether the gateway of the policy has a listener by which the request gets from it to the service."""
        name = gateway_name(str(gateway.name), gateway.namespace)
        ends = {End(node, request.port) for node in self._names(service)}
        listeners = self._gateways[name]["Listeners"]
        return any(ends & self._led(name, one["PortMapping"]["Port"], request) for one in listeners)

    def _comes_to(self, gateway: Gateway, request: Request) -> bool:
        """Whether a gateway of the policy takes it for somebody: what no route takes is answered as there by 404."""
        name = gateway_name(str(gateway.name), gateway.namespace)
        listener = _at(self._gateways[name], request.port)
        if listener is None or not _takes(listener, None):
            return False
        target = self._first(name, request.port, request)
        return target is None or self._services[target["VirtualService"]["VirtualServiceName"]] is not None

    def _led(self, gateway: str, port: int, request: Request) -> set[End]:
        """The listeners of nodes that get it from a listener of a gateway."""
        target = self._first(gateway, port, request)
        if target is None:
            return set()
        provider = self._services[target["VirtualService"]["VirtualServiceName"]]
        if provider is None:
            return set()
        if "VirtualNode" in provider:
            return {End(provider["VirtualNode"]["VirtualNodeName"], target["Port"])}
        router = provider["VirtualRouter"]["VirtualRouterName"]
        ways = [one for name, one in self._routes if name == router]
        for route in sorted(ways, key=_priority):
            _, part = _part(route)
            if part["Match"].get("Port", target["Port"]) == target["Port"] and self._matches(part["Match"], request):
                shares = [one for one in part["Action"]["WeightedTargets"] if one["Weight"]]
                return {End(one["VirtualNode"], one.get("Port", target["Port"])) for one in shares}
        return set()

    def _first(self, gateway: str, port: int, request: Request) -> Json | None:
        """The target of the first gateway route by priority that takes it at that listener."""
        own = [one for name, one in self._gateway_routes if name == gateway]
        for route in sorted(own, key=_priority):
            _, part = _part(route)
            if part["Match"].get("Port", port) == port and self._matches(part["Match"], request):
                if "Prefix" in part["Match"]:
                    assert part["Action"]["Rewrite"]["Prefix"]["DefaultPrefix"] == "DISABLED"
                target: Json = part["Action"]["Target"]
                return target
        return None

    def _matches(self, match: Json, request: Request) -> bool:
        path = _sent(request.path or "")
        if path is None or match.get("Method", request.method) != request.method:
            return False
        if not path.startswith(match.get("Prefix", "/")) or not _is_at(match.get("Path"), path):
            return False
        if not _is_for(match.get("Hostname"), request.host or ""):
            return False
        headers = all(self._has(one, request) for one in match.get("Headers", ()))
        return headers and all(_asks(one, request) for one in match.get("QueryParameters", ()))

    def _has(self, asked: Json, request: Request) -> bool:
        lines = [value for name, value in request.headers if name == asked["Name"].lower()]
        if self._is_joined and lines:
            lines = [",".join(lines)]
        is_inverted = bool(asked.get("Invert", False))
        if "Match" not in asked:
            return bool(lines) != is_inverted
        if not lines:
            return False
        return any(_compares(asked["Match"], line) for line in lines) != is_inverted


def _at(spec: Json, port: int) -> Json | None:
    return next((one for one in spec.get("Listeners", ()) if one["PortMapping"]["Port"] == port), None)


def _takes(listener: Json, identity: str | None) -> bool:
    """Whether a connection with this certificate, or in plaintext, is taken."""
    tls = listener.get("TLS")
    if tls is None or tls["Mode"] == "DISABLED":
        return True
    if identity is None:
        return bool(tls["Mode"] == "PERMISSIVE")
    return "Validation" not in tls or _is_named(tls["Validation"], identity)


def _is_named(validation: Json, identity: str) -> bool:
    """Whether the authority vouches for the name, and the name is among those that are asked for."""
    authority = validation["Trust"]["SDS"]["SecretName"]
    if not identity.startswith(f"{authority}/"):
        return False
    names = validation.get("SubjectAlternativeNames")
    return names is None or bool(identity in names["Match"]["Exact"])


def _part(spec: Json) -> tuple[str, Json]:
    return next((kind, spec[kind]) for kind in _KINDS if kind in spec)


def _priority(spec: Json) -> int:
    return int(spec.get("Priority", 1001))


@lru_cache(maxsize=100_000)
def _sent(raw: str) -> str | None:
    """The path as Envoy compares it, without its query; None for one that it answers with an error."""
    try:
        return istio_path(raw, IstioMode.MERGE_SLASHES)
    except PatternRefused:
        return None


def _is_at(asked: Json | None, path: str) -> bool:
    if asked is None:
        return True
    return bool(path == asked["Exact"]) if "Exact" in asked else re.fullmatch(asked["Regex"], path) is not None


def _is_for(asked: Json | None, host: str) -> bool:
    """Hosts compare without case; that a port and a last dot are taken off is what the policy says of a host."""
    if asked is None:
        return True
    host = re.sub(r":\d+\Z", "", host.lower()).removesuffix(".")
    return bool(host == asked["Exact"]) if "Exact" in asked else host.endswith(str(asked["Suffix"]))


def _compares(asked: Json, line: str) -> bool:
    ((kind, value),) = asked.items()
    match kind:
        case "Exact":
            return bool(line == value)
        case "Prefix":
            return line.startswith(str(value))
        case "Suffix":
            return line.endswith(str(value))
        case _:
            # A byte that is no UTF-8 is taken by no expression of RE2.
            return _STRAY.search(line) is None and re.fullmatch(value, line) is not None


def _asks(asked: Json, request: Request) -> bool:
    """The first value of a parameter counts, as it is written."""
    pieces = (one.partition("=") for one in (request.path or "").partition("?")[2].split("&") if one)
    values = [value for name, _, value in pieces if name == asked["Name"]]
    return bool(values) and ("Match" not in asked or values[0] == asked["Match"]["Exact"])
