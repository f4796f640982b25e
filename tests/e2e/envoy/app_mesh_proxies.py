"""The proxies of App Mesh's nodes and gateways, as Envoy's configuration: our rendering of AWS's control plane.

It follows the user guide and a public `config_dump` of 2022: a node's listener takes every path to the workload; that
of a gateway has a route for each gateway route, to a second listener of the gateway's own with a virtual host for each
virtual service, whose routes are those of the router. Here a workload answers by itself, with its name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.e2e.envoy.certificates import Authority, Pair
from tests.e2e.envoy.listeners import address_of
from tests.e2e.envoy.rbac import TYPE, Config

Address = tuple[str, int]
Doc = dict[str, Any]
_LAST = 1001


@dataclass(slots=True)
class Proxies:
    """The proxies of one mesh. `places` are the addresses of nodes and gateways; the ports are those of listeners."""

    documents: tuple[Doc, ...]
    places: dict[str, str]
    authority: Authority
    listeners: list[Config] = field(default_factory=list)
    clusters: list[Config] = field(default_factory=list)

    def __post_init__(self) -> None:
        for one in self._of("virtualNodeName"):
            self._node(one)
        for one in self._of("virtualGatewayName"):
            if "gatewayRouteName" not in one:
                self._gateway(one)

    def _of(self, name: str) -> list[Doc]:
        return [one for one in self.documents if name in one and "routeName" not in one]

    def _node(self, node: Doc) -> None:
        name = node["virtualNodeName"]
        for listener in node["spec"]["listeners"]:
            answer = {
                "match": {"prefix": "/"},
                "direct_response": {"status": 200},
                "response_headers_to_add": [{"header": {"key": "x-node", "value": name}}],
            }
            self._listen(self.places[name], listener, [{"name": "local", "domains": ["*"], "routes": [answer]}])

    def _gateway(self, gateway: Doc) -> None:
        name = gateway["virtualGatewayName"]
        own, client = self.places[name], _client_tls(gateway["spec"])
        onward = f"{own} onward"
        self.clusters.append(_cluster(onward, (own, 15001)))
        services: dict[str, None] = {}
        for listener in gateway["spec"]["listeners"]:
            routes = []
            for one, part in _ordered([one for one in self.documents if one.get("virtualGatewayName") == name]):
                if not _is_for(one, listener):
                    continue
                service = part["action"]["target"]["virtualService"]["virtualServiceName"]
                services[service] = None
                routes.append({"match": match_of(part["match"]), "route": _onward(onward, service, part)})
            self._listen(own, listener, [{"name": "routes", "domains": ["*"], "routes": routes}])
        hosts = [self._virtual_host(service, own, client) for service in services]
        plain = {"portMapping": {"port": 15001, "protocol": "http"}}
        self._listen(own, plain, hosts)

    def _virtual_host(self, name: str, caller: str, client: Doc | None) -> Config:
        service = next(one for one in self.documents if one.get("virtualServiceName") == name)
        provider = service["spec"].get("provider", {})
        routes: list[Config] = []
        if "virtualNode" in provider:
            node = provider["virtualNode"]["virtualNodeName"]
            routes = [{"match": {"prefix": "/"}, "route": {"cluster": self._to(node, caller, client)}}]
        elif "virtualRouter" in provider:
            router = provider["virtualRouter"]["virtualRouterName"]
            own = [one for one in self.documents if one.get("virtualRouterName") == router and "routeName" in one]
            for _, part in _ordered(own):
                targets = part["action"]["weightedTargets"]
                weighted = [
                    {"name": self._to(one["virtualNode"], caller, client), "weight": one["weight"]} for one in targets
                ]
                match = match_of(part["match"])
                routes.append({"match": match, "route": {"weighted_clusters": {"clusters": weighted}}})
        return {"name": name, "domains": [name], "routes": routes}

    def _to(self, node: str, caller: str, client: Doc | None) -> str:
        """A cluster from a gateway to the first listener of a node, with the gateway's certificate if it shows one."""
        name = f"{caller} to {node}"
        if all(one["name"] != name for one in self.clusters):
            document = next(one for one in self._of("virtualNodeName") if one["virtualNodeName"] == node)
            port = document["spec"]["listeners"][0]["portMapping"]["port"]
            found = _cluster(name, (self.places[node], port))
            if client is not None:
                pair = self.authority.of(client["certificate"]["sds"]["secretName"])
                common = {"tls_certificates": [_files(pair)]}
                found["transport_socket"] = _socket("Upstream", {"common_tls_context": common})
            self.clusters.append(found)
        return name

    def _listen(self, host: str, listener: Doc, virtual_hosts: list[Config]) -> None:
        port = listener["portMapping"]["port"]
        tls = listener.get("tls", {"mode": "DISABLED"})
        chains: list[Config] = []
        filters = [_manager(f"{host}:{port}", virtual_hosts)]
        if tls["mode"] != "DISABLED":
            chains.append(
                {
                    "filter_chain_match": {"transport_protocol": "tls"},
                    "transport_socket": self._server(tls),
                    "filters": filters,
                }
            )
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

    def _server(self, tls: Doc) -> Config:
        common: Config = {"tls_certificates": [_files(self.authority.of(tls["certificate"]["sds"]["secretName"]))]}
        validation = tls.get("validation")
        if validation is not None:
            context: Config = {"trusted_ca": {"filename": str(self.authority.root)}}
            names = validation.get("subjectAlternativeNames", {}).get("match", {}).get("exact", [])
            if names:
                context["match_typed_subject_alt_names"] = [
                    {"san_type": "URI", "matcher": {"exact": name}} for name in names
                ]
            common["validation_context"] = context
        return _socket(
            "Downstream", {"common_tls_context": common, "require_client_certificate": validation is not None}
        )


def match_of(match: Doc) -> Config:
    """What a match asks, in Envoy's words."""
    found: Config = {"prefix": match.get("prefix", "/")}
    path = match.get("path", {})
    if "exact" in path:
        found = {"path": path["exact"]}
    elif "regex" in path:
        found = {"safe_regex": {"regex": path["regex"]}}
    headers = [_header(one) for one in match.get("headers", ())]
    if "method" in match:
        headers.append({"name": ":method", "string_match": {"exact": match["method"]}})
    if "hostname" in match:
        headers.append({"name": ":authority", "string_match": match["hostname"]})
    queries = [_query(one) for one in match.get("queryParameters", ())]
    return {**found, **({"headers": headers} if headers else {}), **({"query_parameters": queries} if queries else {})}


def _header(one: Doc) -> Config:
    found: Config = {"name": one["name"], "invert_match": one.get("invert", False)}
    if "match" not in one:
        return {**found, "present_match": True}
    ((kind, value),) = one["match"].items()
    return {**found, "string_match": {"safe_regex": {"regex": value}} if kind == "regex" else {kind: value}}


def _query(one: Doc) -> Config:
    asked = one.get("match")
    return {"name": one["name"], **({"string_match": asked} if asked else {"present_match": True})}


def _onward(cluster: str, service: str, part: Doc) -> Config:
    found: Config = {"cluster": cluster, "host_rewrite_literal": service}
    rewrite = part["action"].get("rewrite", {}).get("prefix", {})
    if "prefix" in part["match"] and rewrite.get("defaultPrefix") != "DISABLED":
        found["prefix_rewrite"] = rewrite.get("value", "/")
    return found


def _ordered(documents: list[Doc]) -> list[tuple[Doc, Doc]]:
    routes = [one for one in documents if "routeName" in one or "gatewayRouteName" in one]
    found = [(one, one["spec"]["httpRoute"]) for one in routes]
    return sorted(found, key=lambda pair: pair[0]["spec"].get("priority", _LAST))


def _is_for(route: Doc, listener: Doc) -> bool:
    asked = route["spec"]["httpRoute"]["match"].get("port")
    return asked is None or asked == listener["portMapping"]["port"]


def _client_tls(spec: Doc) -> Doc | None:
    found: Doc | None = spec.get("backendDefaults", {}).get("clientPolicy", {}).get("tls")
    return found


def _cluster(name: str, address: Address) -> Config:
    endpoint = {"endpoint": {"address": address_of(address)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _files(pair: Pair) -> Config:
    return {"certificate_chain": {"filename": str(pair.certificate)}, "private_key": {"filename": str(pair.key)}}


def _socket(side: str, context: Config) -> Config:
    kind = f"{TYPE}envoy.extensions.transport_sockets.tls.v3.{side}TlsContext"
    return {"name": "tls", "typed_config": {"@type": kind, **context}}


def _manager(name: str, virtual_hosts: list[Config]) -> Config:
    kind = f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"}
    manager: Config = {
        "@type": kind,
        "stat_prefix": name.replace(":", "_"),
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "route_config": {"name": name, "virtual_hosts": virtual_hosts},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
