"""ServiceEntry: externals, known only where declared services call them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import External, Gateway, Protocol, ServicePort
from meshproof.compiler.ir.mesh import Egress
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.callers import Calls, later
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.destination_rule import port_settings
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.workloads import first_wrong_day

KIND = "ServiceEntry"
Fields = dict[str, Value]

_PROTOCOLS = {
    Protocol.HTTP: "HTTP",
    Protocol.HTTPS: "HTTPS",
    Protocol.HTTP2: "HTTP2",
    Protocol.GRPC: "GRPC",
    Protocol.TCP: "TCP",
    Protocol.TLS: "TLS",
}


def home(context: Context, external: External) -> str:
    """The namespace of an external's objects: its gateway's, else the default one, else the root namespace."""
    gateway = context.gateway(external.via)
    if gateway is not None:
        return gateway.namespace
    return context.mesh.namespace or context.options.root_namespace


def exported_to(context: Context, external: External, calls: Calls) -> tuple[str, ...]:
    """The namespaces that know the external: of who may call it (with open egress: of every declared service), of
    gateways that send requests there, and of the gateway it is called through.
    """  # noqa: D205
    callers = {call.caller for call in calls.to(external.name)}
    if context.mesh.egress is not Egress.CLOSED:
        callers |= {service.name for service in context.mesh.services}
    found = {node.namespace for node in context.workloads if node.name in callers}
    found |= {gateway.namespace for gateway in context.mesh.gateways if _sends_to(context, gateway, external)}
    return tuple(sorted(found))


def namespaces_in(context: Context, external: External, namespaces: Iterable[str]) -> Value:
    """The namespaces as `exportTo` of an object in the external's own."""
    own = home(context, external)
    return ["." if one == own else one for one in namespaces]


def wrong_from(context: Context, external: External, calls: Calls) -> date | None:
    """The first day on which some namespace knows the external and no longer should."""
    if context.mesh.egress is not Egress.CLOSED:
        return None
    lasting = {gateway.namespace for gateway in context.mesh.gateways if _sends_to(context, gateway, external)}
    ends: dict[str, date | None] = {}
    for call in calls.to(external.name):
        for node in (service for service in context.mesh.services if service.name == call.caller):
            known = node.namespace in ends
            ends[node.namespace] = later(ends[node.namespace], call.until) if known else call.until
    return first_wrong_day(end for namespace, end in ends.items() if namespace not in lasting)


def _sends_to(context: Context, gateway: Gateway, external: External) -> bool:
    if external.via == gateway.name:
        return True
    routes = (route for route in context.mesh.routes if route.node == gateway.name)
    return any(target.node == external.name for route in routes for one in route.branches for target in one.targets)


def service_entries(context: Context, calls: Calls) -> Iterator[IstioObject]:
    """One object for each external that is called, and one for each of its hosts for which something is set."""
    for external in context.mesh.externals:
        namespaces = exported_to(context, external, calls)
        if not namespaces:
            continue
        own = home(context, external)
        visible = namespaces_in(context, external, namespaces)
        spec: Fields = {
            "hosts": list(external.hosts),
            "ports": [_port(port) for port in external.ports],
            "location": "MESH_EXTERNAL",
            "resolution": "NONE" if _is_wild(external) else "DNS",
            "exportTo": visible,
        }
        name = context.name(KIND, own, str(external.name), external.origin)
        pieces, end = (Piece(str(external.name)),), wrong_from(context, external, calls)
        yield IstioObject(KIND, own, name, spec, pieces, end)
        for host in external.hosts:
            if levels := _levels(context, external, host):
                text = str(external.name) if len(external.hosts) == 1 else f"{external.name}-{host}"
                rule = context.name("DestinationRule", own, text, external.origin)
                whole: Fields = {"host": host, "trafficPolicy": {"portLevelSettings": levels}, "exportTo": visible}
                yield IstioObject("DestinationRule", own, rule, whole, pieces, end)


def _is_wild(external: External) -> bool:
    return any(host.startswith("*") for host in external.hosts)


def _port(port: ServicePort) -> Value:
    protocol = "HTTP" if port.is_originated else _PROTOCOLS[port.protocol]
    found: Fields = {"number": port.number, "name": port.name, "protocol": protocol}
    if port.number != port.workload:
        found["targetPort"] = port.workload
    return found


def _levels(context: Context, external: External, host: str) -> list[Value]:
    """What is set for the ports: by routes, and the TLS that the proxy starts."""
    routes = [route for route in context.mesh.routes if route.node == external.name]
    settings = port_settings(external, routes)
    found: list[Value] = []
    for port in external.ports:
        level: Fields = dict(settings.get(port.number, {}))
        if port.is_originated:
            level["tls"] = _origination(context, external, host)
        if level:
            number: Fields = {"port": {"number": port.number}}
            found.append(number | level)
    return found


def _origination(context: Context, external: External, host: str) -> Value:
    """TLS that the proxy starts: the certificate is checked against the system's authorities and the host's name."""
    if host.startswith("*"):
        error = NotExpressibleError(
            Feature.EXTERNAL, f"the name to check in the certificate of `{host}` is not known", "write out the hosts"
        )
        context.findings.unsupported(str(external.name), external.origin, error)
    return {"mode": "SIMPLE", "caCertificates": "system", "subjectAltNames": [host], "sni": host}
