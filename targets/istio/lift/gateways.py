"""Gateway objects of Istio: which proxies listen where, for which hosts, and how they end TLS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.ir.entities import Layer, Protocol, ServicePort
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.common.tree import MapNode
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.findings import NOT_MODELLED
from meshproof.targets.istio.lift.hosts import ANY
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kube_services import spoken_at
from meshproof.targets.istio.lift.objects import KubeObject
from meshproof.targets.istio.lift.parts import Edge
from meshproof.targets.istio.lift.registry import listening_port
from meshproof.targets.istio.lift.values import flag, mapping, mappings, number, origin_of, pairs, text, texts
from meshproof.targets.istio.lift.workloads import Workload

PASSTHROUGH = frozenset(("PASSTHROUGH", "AUTO_PASSTHROUGH"))
_CLIENT_CERTIFICATE = frozenset(("MUTUAL", "OPTIONAL_MUTUAL"))
_MESH_CERTIFICATE = "ISTIO_MUTUAL"


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a gateway. `port` is the number that is dialled, `hosts` are pairs of a namespace and a host.

    `gateway` is the name under which routes bind to it. `client_names` are those that certificates of clients must
    have one of, if there are any.
    """

    gateway: str
    namespace: str
    port: int
    name: str
    protocol: str
    hosts: tuple[tuple[str, str], ...]
    tls_mode: str | None
    certificate: str | None
    client_ca: str | None
    redirects_to_https: bool
    origin: Origin
    client_names: tuple[str, ...] = ()
    skips_verification: bool = False

    @property
    def is_passthrough(self) -> bool:
        """Whether TLS goes through unread."""
        return self.tls_mode in PASSTHROUGH

    @property
    def layer(self) -> Layer:
        """What the proxy sees."""
        if self.is_passthrough:
            return Layer.TCP
        if self.protocol == "HTTPS":
            return Layer.HTTP
        return Layer.HTTP if spoken_at(0, "", self.protocol).layer is Layer.HTTP else Layer.TCP

    @property
    def spoken(self) -> Protocol:
        """What is spoken on the port, as it arrives."""
        return Protocol.HTTPS if self.protocol == "HTTPS" else spoken_at(0, "", self.protocol).protocol

    @property
    def has_tls(self) -> bool:
        """Whether clients ask for a server by name."""
        return self.protocol in {"HTTPS", "TLS"} or self.tls_mode is not None


@dataclass(frozen=True, slots=True)
class Listening:
    """All servers of one gateway workload on one port. `workload_port` is the one that its pods listen on."""

    workload: Workload
    workload_port: int
    servers: tuple[Server, ...]

    @property
    def names(self) -> frozenset[str]:
        """The names under which routes bind to it."""
        return frozenset(server.gateway for server in self.servers)

    @property
    def layers(self) -> tuple[Layer, ...]:
        """What may arrive there."""
        return tuple(dict.fromkeys(server.layer for server in self.servers))


def read_servers(context: LiftContext) -> tuple[tuple[Workload, Server], ...]:
    """The servers at each workload that the selector of their Gateway takes, whatever its namespace; oldest first."""
    found: list[tuple[Workload, Server]] = []
    for source in sorted(context.objects.of(Kind.GATEWAY), key=lambda one: one.age_key):
        labels = pairs(source.spec.get("selector"))
        servers = tuple(_servers(source, context))
        for workload in context.workloads:
            if workload.has_labels(labels) and labels:
                found.extend((workload, server) for server in servers)
    return tuple(found)


def _servers(source: KubeObject, context: LiftContext) -> Iterator[Server]:
    for one in mappings(source.spec.get("servers")):
        port = number(one.at("port", "number"))
        tls = mapping(one.get("tls"))
        mode = text(tls.get("mode")) or ("SIMPLE" if one.get("tls") is not None and _has_secret(tls) else None)
        if port is None:
            continue
        if mode == "AUTO_PASSTHROUGH":
            message = f"a server of `{source.full_name}` has the mode AUTO_PASSTHROUGH: whoever asks for it by name"
            message += " reaches any service behind it, under no policy of the gateway, which is not modelled"
            context.findings.add(NOT_MODELLED, message, source.full_name, origin_of(one))
        yield Server(
            gateway=source.full_name,
            namespace=source.namespace,
            port=port,
            name=text(one.at("port", "name")) or f"port-{port}",
            protocol=(text(one.at("port", "protocol")) or "TCP").upper(),
            hosts=tuple(_host(found.value, source.namespace) for found in texts(one.get("hosts"))),
            tls_mode=mode,
            certificate=text(tls.get("credentialName")) or text(tls.get("serverCertificate")),
            client_ca=_client_ca(tls, mode),
            redirects_to_https=flag(tls.get("httpsRedirect")) or False,
            origin=origin_of(one),
            client_names=tuple(found.value for found in texts(tls.get("subjectAltNames"))),
            skips_verification=flag(tls.get("insecureSkipVerify")) or False,
        )


def _has_secret(tls: MapNode) -> bool:
    return any(tls.get(name) is not None for name in ("credentialName", "credentialNames", "serverCertificate"))


def _client_ca(tls: MapNode, mode: str | None) -> str | None:
    """Whose certificates clients must show."""
    if mode == _MESH_CERTIFICATE:
        return _MESH_CERTIFICATE
    if mode not in _CLIENT_CERTIFICATE:
        return None
    named = text(tls.get("caCertCredentialName")) or text(tls.get("caCertificates"))
    return named or f"{text(tls.get('credentialName')) or 'unknown'}-cacert"


def _host(written: str, namespace: str) -> tuple[str, str]:
    """A host of a server: `NAMESPACE/HOST`; without a namespace, routes of any may bind to it."""
    place, slash, host = written.partition("/")
    if not slash:
        return ANY, lower_ascii(place)
    return (namespace if place == "." else place), lower_ascii(host)


def listening_at(found: tuple[tuple[Workload, Server], ...]) -> tuple[Listening, ...]:
    """The servers by workload and by the port that its pods listen on."""
    by_port: dict[tuple[str, int], list[Server]] = {}
    workloads: dict[str, Workload] = {}
    for workload, server in found:
        workloads[workload.name] = workload
        by_port.setdefault((workload.name, _workload_port(workload, server.port)), []).append(server)
    return tuple(
        Listening(workloads[name], port, tuple(dict.fromkeys(servers)))
        for (name, port), servers in sorted(by_port.items())
    )


def _workload_port(workload: Workload, port: int) -> int:
    """The port of the pods: the target of the Service's port, if a Service in front of them has the port."""
    if workload.node is not None:
        return next((known.workload for known in workload.node.ports if known.number == port), port)
    for service in workload.services:
        found = service.port(port)
        listening = None if found is None else listening_port(service, found, workload)
        if listening is not None:
            return listening
    return port


def edges_of(listening: tuple[Listening, ...]) -> tuple[Edge, ...]:
    """The edges: one for each workload that listens somewhere."""
    by_workload: dict[str, list[Listening]] = {}
    for one in listening:
        by_workload.setdefault(one.workload.name, []).append(one)
    return tuple(_edge(found) for found in by_workload.values())


def _edge(found: list[Listening]) -> Edge:
    servers = [server for one in found for server in one.servers]
    hosts = dict.fromkeys(host for server in servers for _, host in server.hosts)
    return Edge(
        node=found[0].workload.name,
        ports=tuple(_port(one) for one in found),
        hosts=tuple(hosts),
        certificate=next((server.certificate for server in servers if server.certificate is not None), None),
        client_ca=next((server.client_ca for server in servers if server.client_ca is not None), None),
    )


def _port(one: Listening) -> ServicePort:
    first = one.servers[0]
    layers = one.layers
    return ServicePort(
        name=first.name,
        protocol=first.spoken,
        layer=layers[0] if len(layers) == 1 else Layer.SNIFFED,
        number=first.port,
        workload=one.workload_port,
        origin=first.origin,
        is_passthrough=all(server.is_passthrough for server in one.servers),
    )
