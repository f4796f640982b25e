"""The proxies of App Mesh's nodes and gateways, as Envoy's configuration: our rendering of AWS's control plane.

It follows the user guide and a public `config_dump` of 2022: a node's listener takes every path to the workload; that
of a gateway has a route for each gateway route, to a second listener of the gateway's own, at 15001 and without TLS,
with a virtual host for each virtual service, whose routes are those of the router. A node that calls others has such a
listener too. Where a gateway route leaves the host as it is, that second listener knows the virtual service by a
header, which the first one adds. Here a workload answers by itself, with its name and with what came to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.e2e.envoy.app_mesh_config import (
    Address,
    Doc,
    client_socket,
    cluster_of,
    echo,
    is_for,
    manager,
    match_of,
    ordered,
    server_socket,
)
from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.listeners import address_of
from tests.e2e.envoy.rbac import TYPE, Config

from meshproof.targets.appmesh.naming import SERVICE_HEADER

EGRESS = 15001
_TOLD = {
    "x-seen-path": "%REQ(:PATH)%",
    "x-seen-host": "%REQ(:AUTHORITY)%",
    "x-peer": "%DOWNSTREAM_PEER_URI_SAN%",
    "x-xfcc": "%REQ(x-forwarded-client-cert)%",
}


@dataclass(slots=True)
class Proxies:
    """The proxies of one mesh. `places` are the addresses of nodes and gateways; the ports are those of listeners.

    The nodes `addresses` are places alone: the proxy there is another's. `app` is who gets upgraded connections.
    """

    documents: tuple[Doc, ...]
    places: dict[str, str]
    authority: Authority
    addresses: frozenset[str] = frozenset()
    app: Address | None = None
    listeners: list[Config] = field(default_factory=list)
    clusters: list[Config] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self._of("virtualNodeName"):
            if one["virtualNodeName"] not in self.addresses:
                self._node(one)
        for one in self._of("virtualGatewayName"):
            if "gatewayRouteName" not in one:
                self._gateway(one)

    def _of(self, name: str) -> list[Doc]:
        return [one for one in self.documents if name in one and "routeName" not in one]

    def _named(self, name: str, value: str) -> Doc:
        return next(one for one in self._of(name) if one[name] == value)

    def _node(self, node: Doc) -> None:
        name, spec = node["virtualNodeName"], node["spec"]
        for listener in spec.get("listeners", ()):
            hosts = self._workload(name, listener["portMapping"]["port"])
            self._listen(self.places[name], listener, hosts)
        if "backends" in spec:
            default = spec.get("backendDefaults", {}).get("clientPolicy", {})
            backends = {one["virtualService"]["virtualServiceName"]: one["virtualService"] for one in spec["backends"]}
            policies = {called: one.get("clientPolicy", default).get("tls") for called, one in backends.items()}
            own = self.places[name]
            hosts = [host for called, tls in policies.items() for host in self._virtual_hosts(called, own, tls)]
            self._listen(own, _plain(EGRESS), hosts)

    def _workload(self, name: str, port: int) -> list[Config]:
        told = {"x-node": name, "x-port": str(port), **_TOLD}
        routes: list[Config] = [{"match": {"prefix": "/"}, "direct_response": {"status": 200}}]
        if self.app is not None:
            cluster = cluster_of(f"app of {name}:{port}", self.app)
            self.clusters.append(cluster)
            upgraded = {"name": "upgrade", "string_match": {"exact": "websocket"}}
            routes.insert(0, {"match": {"prefix": "/", "headers": [upgraded]}, "route": {"cluster": cluster["name"]}})
        added = [{"header": {"key": key, "value": value}} for key, value in told.items()]
        return [{"name": "local", "domains": ["*"], "routes": routes, "response_headers_to_add": added}]

    def _gateway(self, gateway: Doc) -> None:
        name = gateway["virtualGatewayName"]
        own = self.places[name]
        tls = gateway["spec"].get("backendDefaults", {}).get("clientPolicy", {}).get("tls")
        called: dict[str, bool] = {}  # whether it may be known by the header alone
        for listener in gateway["spec"]["listeners"]:
            port, protocol = listener["portMapping"]["port"], listener["portMapping"]["protocol"]
            onward = f"{own}:{port} onward"
            self.clusters.append(cluster_of(onward, (own, EGRESS), protocol))
            routes = []
            for _, part in ordered([one for one in self._gateway_routes() if one["virtualGatewayName"] == name]):
                if is_for(part, port):
                    target = part["action"]["target"]
                    service = target["virtualService"]["virtualServiceName"]
                    called[service] = called.get(service, False) or _keeps_host(part)
                    routes.append({"match": match_of(part["match"]), **_onward(onward, part)})
            self._listen(own, listener, [{"name": "routes", "domains": ["*"], "routes": routes}])
        hosts = {service: list(self._virtual_hosts(service, own, tls)) for service in called}
        by_name = [host for own_hosts in hosts.values() for host in own_hosts]
        by_header = [host for service, own_hosts in hosts.items() if called[service] for host in own_hosts]
        self._listen(own, _plain(EGRESS), [*by_name, *_by_header(by_header)])

    def _gateway_routes(self) -> list[Doc]:
        return [one for one in self.documents if "gatewayRouteName" in one]

    def _virtual_hosts(self, name: str, caller: str, tls: Doc | None) -> Iterator[Config]:
        """One for each port of a virtual service; the first answers to its name alone, too."""
        for index, (port, routes) in enumerate(self._ways(self._named("virtualServiceName", name), caller, tls)):
            domains = [f"{name}:{port}", *((name,) if not index else ())] if port else [name]
            yield {"name": f"{name}:{port}" if port else name, "domains": domains, "routes": routes}

    def _ways(self, service: Doc, caller: str, tls: Doc | None) -> Iterator[tuple[int | None, list[Config]]]:
        provider = service["spec"].get("provider", {})
        if "virtualNode" in provider:
            cluster = self._to(provider["virtualNode"]["virtualNodeName"], None, None, caller, tls)
            yield None, [{"match": {"prefix": "/"}, "route": {"cluster": cluster}}]
        elif "virtualRouter" in provider:
            router = provider["virtualRouter"]["virtualRouterName"]
            own = [one for one in self.documents if one.get("virtualRouterName") == router and "routeName" in one]
            for listener in self._named("virtualRouterName", router)["spec"]["listeners"]:
                port = listener["portMapping"]["port"]
                ways = (part for _, part in ordered(own) if is_for(part, port))
                yield port, [self._way(part, port, caller, tls) for part in ways if _is_of_requests(listener)]
        else:
            yield None, []

    def _way(self, part: Doc, port: int, caller: str, tls: Doc | None) -> Config:
        weighted = [
            {"name": self._to(one["virtualNode"], one.get("port"), port, caller, tls), "weight": one["weight"]}
            for one in part["action"]["weightedTargets"]
        ]
        return {"match": match_of(part["match"]), "route": {"weighted_clusters": {"clusters": weighted}}}

    def _to(self, node: str, port: int | None, dialled: int | None, caller: str, tls: Doc | None) -> str:
        """A cluster from a caller to a listener of a node: the one that is named, that was dialled, or the first."""
        listeners = [one["portMapping"] for one in self._named("virtualNodeName", node)["spec"]["listeners"]]
        wanted = (one["port"] for asked in (port, dialled) for one in listeners if one["port"] == asked)
        number = next(wanted, listeners[0]["port"])
        name = f"{caller} to {node}:{number} as {dialled}"
        if all(one["name"] != name for one in self.clusters):
            protocol = next(one["protocol"] for one in listeners if one["port"] == number)
            found = cluster_of(name, (self.places[node], number), protocol)
            if tls is not None and (not tls.get("ports") or dialled in tls["ports"]):
                found["transport_socket"] = client_socket(tls, self.authority)
            self.clusters.append(found)
        return name

    def _listen(self, host: str, listener: Doc, virtual_hosts: list[Config]) -> None:
        port, protocol = listener["portMapping"]["port"], listener["portMapping"]["protocol"]
        tls = listener.get("tls", {"mode": "DISABLED"})
        filters = [echo() if protocol == "tcp" else manager(f"{host}:{port}", virtual_hosts)]
        chains: list[Config] = []
        if tls["mode"] != "DISABLED":
            matched = {"filter_chain_match": {"transport_protocol": "tls"}}
            chains.append({**matched, "transport_socket": server_socket(tls, self.authority), "filters": filters})
        if tls["mode"] == "PERMISSIVE":
            chains.append({"filter_chain_match": {"transport_protocol": "raw_buffer"}, "filters": filters})
        if tls["mode"] == "DISABLED":
            chains.append({"filters": filters})
        inspector = {"@type": f"{TYPE}envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}
        self.listeners.append(
            {
                "name": f"{host}:{port}",
                "address": address_of((host, port)),
                "listener_filters": [{"name": "envoy.filters.listener.tls_inspector", "typed_config": inspector}],
                "filter_chains": chains,
            }
        )


def bootstrap(every: Iterable[Proxies]) -> Config:
    """The whole configuration. An expression may be as large as the 255 characters of App Mesh's API make it."""
    proxies = tuple(every)
    runtime = {"re2.max_program_size.error_level": 1000}
    return {
        "layered_runtime": {"layers": [{"name": "app mesh", "static_layer": runtime}]},
        "static_resources": {
            "listeners": [listener for one in proxies for listener in one.listeners],
            "clusters": [cluster for one in proxies for cluster in one.clusters],
        },
    }


def _plain(port: int) -> Doc:
    return {"portMapping": {"port": port, "protocol": "http"}}


def _is_of_requests(listener: Doc) -> bool:
    """Connections of callers are not rendered: where they lead to no request tells."""
    return bool(listener["portMapping"]["protocol"] != "tcp")


def _onward(cluster: str, part: Doc) -> Config:
    """To the gateway's own second listener, by the name of the virtual service, or by a header if that is to stay."""
    target = part["action"]["target"]
    name = target["virtualService"]["virtualServiceName"]
    service = f"{name}:{target['port']}" if "port" in target else name
    rewrite = part["action"].get("rewrite", {})
    action: Config = {"cluster": cluster}
    prefix = rewrite.get("prefix", {})
    if "prefix" in part["match"] and prefix.get("defaultPrefix") != "DISABLED":
        action["prefix_rewrite"] = prefix.get("value", "/")
    if _keeps_host(part):
        # What callers send under that name is not taken off: nothing says that App Mesh does.
        added = {"header": {"key": SERVICE_HEADER, "value": service}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
        return {"route": action, "request_headers_to_add": [added]}
    return {"route": {**action, "host_rewrite_literal": service}}


def _keeps_host(part: Doc) -> bool:
    hostname = part["action"].get("rewrite", {}).get("hostname", {})
    return bool(hostname.get("defaultTargetHostname") == "DISABLED")


def _by_header(hosts: Iterable[Config]) -> Iterator[Config]:
    """The virtual host for all other names: it has all routes, each for the virtual service that a header names."""
    routes = []
    for host in hosts:
        meant = [{"name": SERVICE_HEADER, "string_match": {"exact": domain}} for domain in host["domains"]]
        for route in host["routes"]:
            asked = route["match"].get("headers", [])
            routes += [{**route, "match": {**route["match"], "headers": [*asked, one]}} for one in meant]
    if routes:
        yield {"name": "by header", "domains": ["*"], "routes": routes}
