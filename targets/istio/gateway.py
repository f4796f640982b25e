"""Gateway: the ports and hosts at the edge. Only routes of the gateway's own namespace may bind to its hosts."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.backend.features import Feature
from meshproof.compiler.ir.entities import Gateway, Protocol, ServicePort
from meshproof.targets.common.findings import NotExpressibleError
from meshproof.targets.common.yaml import Value
from meshproof.targets.istio.context import Context
from meshproof.targets.istio.model import IstioObject, Piece
from meshproof.targets.istio.relay import relay_servers

KIND = "Gateway"

_PROTOCOLS = {
    Protocol.HTTP: "HTTP",
    Protocol.HTTPS: "HTTPS",
    Protocol.HTTP2: "HTTP2",
    Protocol.GRPC: "GRPC",
    Protocol.TCP: "TCP",
    Protocol.TLS: "TLS",
}


def gateways(context: Context) -> Iterator[IstioObject]:
    """One object for each gateway."""
    for gateway in context.mesh.gateways:
        servers = [_server(gateway, port) for port in gateway.ports if gateway.hosts]
        _tell_certificate(context, gateway)
        servers += relay_servers(context, gateway)
        if not servers:
            continue
        spec: Value = {"selector": dict(gateway.labels), "servers": servers}
        name = context.name(KIND, gateway.namespace, str(gateway.name), gateway.origin)
        yield IstioObject(KIND, gateway.namespace, name, spec, (Piece(str(gateway.name)),))


def _tell_certificate(context: Context, gateway: Gateway) -> None:
    """MP701 where TLS ends without a certificate: Istio's webhook refuses such a server."""
    ending = [port for port in gateway.ports if _ends_tls(port)]
    if gateway.hosts and ending and gateway.certificate is None:
        error = NotExpressibleError(
            Feature.GATEWAY,
            f"TLS ends at its port {ending[0].number}, and it has no certificate",
            'name the secret that holds it, `certificate "SECRET"`, or hand TLS on with `passthrough`',
        )
        context.findings.unsupported(str(gateway.name), gateway.origin, error)


def _ends_tls(port: ServicePort) -> bool:
    return port.protocol in {Protocol.HTTPS, Protocol.TLS} and not port.is_passthrough


def _server(gateway: Gateway, port: ServicePort) -> Value:
    found: dict[str, Value] = {
        "port": {"number": port.number, "name": port.name, "protocol": _protocol(port)},
        "hosts": [f"./{host}" for host in gateway.hosts],
    }
    tls = _tls(gateway, port)
    if tls is not None:
        found["tls"] = tls
    return found


def _protocol(port: ServicePort) -> str:
    return "TLS" if port.is_passthrough else _PROTOCOLS[port.protocol]


def _tls(gateway: Gateway, port: ServicePort) -> Value:
    if port.is_passthrough:
        return {"mode": "PASSTHROUGH"}
    if not _ends_tls(port):
        return None
    found: dict[str, Value] = {"mode": "SIMPLE" if gateway.client_ca is None else "MUTUAL"}
    if gateway.certificate is not None:
        found["credentialName"] = gateway.certificate
    if gateway.client_ca is not None:
        found["caCertCredentialName"] = gateway.client_ca
    return found
