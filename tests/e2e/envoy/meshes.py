"""One Envoy for many policies: each port of each workload of each mesh is a listener on a loopback address of its own.

The port of a listener is the workload's, since rules speak of it; so are the addresses that callers come from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.ground import Ground, Use
from tests.e2e.envoy.listeners import (
    Address,
    World,
    address_of,
    connection_manager,
    inbound,
    listener,
    mutual_tls,
    server_tls,
    tcp_filters,
)
from tests.e2e.envoy.rbac import TYPE, Config, Doc
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.workloads import Cluster, Pod, read_cluster

from meshproof.compiler.ir.entities import Gateway, Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.request import Request
from meshproof.compiler.ir.serde import dump, load
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered

# Callers come from loopback addresses, since a socket has no other: each address of the vocabulary has one.
LOOPBACK = (
    ("10.0.0.0/8", "127.10.0.0/16"),
    ("10.0.0.0/24", "127.10.0.0/24"),
    ("10.0.0.1", "127.10.0.1"),
    ("10.0.1.1", "127.10.1.1"),
    ("10.255.255.255", "127.10.255.254"),
    ("11.0.0.0", "127.11.0.1"),
    ("192.0.2.9", "127.192.2.9"),
    ("192.0.2.0/24", "127.192.2.0/24"),
)


def on_loopback(mesh: Mesh) -> Mesh:
    """The mesh with every IPv4 address moved into 127.0.0.0/8, so that callers can come from there."""
    text = dump(mesh).decode()
    for old, new in LOOPBACK:
        text = text.replace(f'"{old}', f'"{new}')
    return load(text.encode())


def from_loopback(request: Request) -> Request:
    """The request with its addresses moved likewise."""
    moved = dict(LOOPBACK)
    source = replace(request.source, ip=moved.get(request.source.ip or "", request.source.ip))
    return replace(request, source=source, client_ip=moved.get(request.client_ip or "", request.client_ip))


def pod_of(node: Service | Gateway) -> Pod:
    """The workload as it would be deployed."""
    http = tuple(port.workload for port in node.ports if port.layer is not Layer.TCP)
    tcp = tuple(port.workload for port in node.ports if port.layer is Layer.TCP)
    return Pod(node.namespace, node.labels, http, tcp)


@dataclass(slots=True)
class Fleet:
    """Everything that one Envoy stands for. `places` says where a mesh's port is."""

    authority: Authority
    mint: Mint
    ground: Ground
    listeners: list[Config] = field(default_factory=list)
    clusters: list[Config] = field(default_factory=list)
    places: dict[tuple[int, str, int], Address] = field(default_factory=dict)
    count: int = 0

    def add(self, mesh: Mesh, lowered: IstioLowered) -> int:
        """Put a mesh on the air; the number by which `places` knows it."""
        number, self.count = self.count, self.count + 1
        cluster = read_cluster(TARGET.emit(lowered))
        world = World(self.authority, self.mint, (mesh.trust_domain, *mesh.aliases, *mesh.trusts), self._ask())
        nodes: list[Service | Gateway] = [*mesh.services, *mesh.gateways]
        for index, node in enumerate(nodes):
            host = self.ground.host(Use.FLEET, number, index + 1)
            for port in {port.workload for port in node.ports}:
                chains = (
                    inbound(cluster, pod_of(node), port, world)
                    if isinstance(node, Service)
                    else edge(cluster, node, port, world)
                )
                if chains:
                    place = (host, port)
                    self.places[number, str(node.name), port] = place
                    self.listeners.append(listener(f"{number} {node.name}:{port}", place, chains))
        return number

    def _ask(self) -> dict[str, str]:
        return {name: f"authorizer {name}" for name in AUTHORIZERS}

    def _authorizer(self, name: str) -> tuple[Config, Config]:
        return _authorizer(name, (self.ground.host(Use.AUTHORIZERS, AUTHORIZERS.index(name)), 9000))

    def bootstrap(self) -> Config:
        """The whole configuration. Fragments are cut off, not refused, as Istio's own bootstrap says."""
        runtime = {"envoy.reloadable_features.http_reject_path_with_fragment": False}
        authorizers = [self._authorizer(name) for name in AUTHORIZERS]
        return {
            "layered_runtime": {"layers": [{"name": "istio", "static_layer": runtime}]},
            "static_resources": {
                "listeners": [*self.listeners, *(one for one, _ in authorizers)],
                "clusters": [*self.clusters, *(one for _, one in authorizers)],
            },
        }


AUTHORIZERS = ("opa", "risk")
"""Who is asked. They say yes to a request with the header `x-answer-NAME: yes`."""


def _authorizer(name: str, address: Address) -> tuple[Config, Config]:
    is_yes = {"prefix": "/", "headers": [{"name": f"x-answer-{name}", "string_match": {"exact": "yes"}}]}
    routes = [
        {"match": is_yes, "direct_response": {"status": 200}},
        {"match": {"prefix": "/"}, "direct_response": {"status": 403}},
    ]
    config = {
        "@type": f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "route_config": {"virtual_hosts": [{"name": name, "domains": ["*"], "routes": routes}]},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    manager = {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}
    listening = {"name": name, "address": address_of(address), "filter_chains": [{"filters": [manager]}]}
    return listening, upstream(f"authorizer {name}", address)


def upstream(name: str, address: Address) -> Config:
    """A cluster of one address."""
    endpoint = {"endpoint": {"address": address_of(address)}}
    return {
        "name": name,
        "connect_timeout": "10s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def edge(cluster: Cluster, gateway: Gateway, port: int, world: World) -> list[Config]:
    """The filter chains of a gateway at one of its own ports: a chain for each server."""
    found: list[Config] = []
    numbers = {one.number for one in gateway.ports if one.workload == port}
    proxies = cluster.config.get("defaultConfig", {}).get("gatewayTopology", {}).get("numTrustedProxies", 0)
    pod = pod_of(gateway)
    for doc in cluster.objects("Gateway"):
        if not doc["spec"]["selector"].items() <= dict(gateway.labels).items():
            continue
        for server in doc["spec"]["servers"]:
            if server["port"]["number"] in numbers:
                http = connection_manager(cluster, pod, world, trusted_proxies=proxies)
                found.append(_server(server, [http], tcp_filters(cluster, pod), world))
    return found


def _server(server: Doc, http: list[Config], tcp: list[Config], world: World) -> Config:
    names = [host.partition("/")[2] for host in server["hosts"]]
    mode = server.get("tls", {}).get("mode")
    if mode is None:
        return {"filters": tcp if server["port"]["protocol"] == "TCP" else http}
    matched: Config = {"filter_chain_match": {"server_names": names, "transport_protocol": "tls"}}
    if mode == "PASSTHROUGH":
        return {**matched, "filters": tcp}
    filters = tcp if server["port"]["protocol"] == "TLS" else http
    match mode:
        case "ISTIO_MUTUAL":
            tls = mutual_tls(world)
        case "MUTUAL":
            trusted = {"validation_context": {"trusted_ca": {"filename": str(world.authority.root)}}}
            tls = server_tls(world, trusted, asks=True)
        case _:
            tls = server_tls(world, {}, asks=False)
    return {**matched, "transport_socket": tls, "filters": filters}
