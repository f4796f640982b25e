"""VirtualServices as Envoy's routes, as istiod makes them (pilot/pkg/networking/core/route)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tests.e2e.envoy.rbac import Config, Doc
from tests.e2e.envoy.workloads import Cluster

UPSTREAM = {"header": {"key": "x-upstream", "value": "%UPSTREAM_CLUSTER%"}}


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose proxy routes: that of a workload in a namespace, or a gateway by the name of its object."""

    namespace: str
    gateway: str | None = None

    def is_bound(self, names: Iterable[str] | None) -> bool:
        """Whether a route that is bound to these gateways is for it. Without any it is for sidecars."""
        return (self.gateway or "mesh") in (names or ("mesh",))


def cluster_name(host: str, port: int, subset: str | None) -> str:
    """What istiod calls a group of endpoints."""
    return f"outbound|{port}|{subset or ''}|{host}"


def prefixed(config: Config, prefix: str) -> Config:
    """The same routes to groups of endpoints that are this mesh's own."""
    for host in config["virtual_hosts"]:
        for one in host["routes"]:
            action = one.get("route", {})
            if "cluster" in action:
                action["cluster"] = prefix + action["cluster"]
            for share in action.get("weighted_clusters", {}).get("clusters", ()):
                share["name"] = prefix + share["name"]
    return config


def route_config(cluster: Cluster, sender: Sender, port: int) -> Config:
    """The routes of one listener: a virtual host for each host of a VirtualService; nothing else is known."""
    hosts: list[Config] = []
    for doc in cluster.objects("VirtualService"):
        spec = doc["spec"]
        if not sender.is_bound(spec.get("gateways")) or not _is_visible(doc, sender):
            continue
        routes = [one for rule in spec.get("http", ()) for one in _routes(rule, sender, port)]
        for host in spec["hosts"] if routes else ():
            names = _names(host) if sender.gateway is None else [host]
            hosts.append({"name": host, "domains": names, "routes": routes, "response_headers_to_add": [UPSTREAM]})
    return {"name": str(port), "virtual_hosts": hosts, "ignore_port_in_host_matching": True}


def _is_visible(doc: Doc, sender: Sender) -> bool:
    own = doc["metadata"]["namespace"]
    visible = doc["spec"].get("exportTo", ["*"])
    return any(one == "*" or (own if one == "." else one) == sender.namespace for one in visible)


def _names(host: str) -> list[str]:
    """The names by which callers in the cluster know a Service."""
    parts = host.split(".")
    if parts[2:3] != ["svc"]:
        return [host]
    return [host, ".".join(parts[:3]), ".".join(parts[:2]), parts[0]]


def _routes(rule: Doc, sender: Sender, port: int) -> list[Config]:
    found = []
    blocks: list[Doc] = rule.get("match") or [{}]
    for block in blocks:
        if block.get("port", port) != port or block.get("sourceNamespace", sender.namespace) != sender.namespace:
            continue
        if "gateways" not in block or sender.is_bound(block["gateways"]):
            found.append({"match": _match(block), **_action(rule)})
    return found


def _match(block: Doc) -> Config:
    left = set(block) - {"uri", "method", "authority", "headers", "withoutHeaders", "queryParams"}
    assert not left - {"port", "sourceNamespace", "gateways"}, left
    found = _uri(block.get("uri", {}))
    headers = [_header(f":{name}", block[name]) for name in ("method", "authority") if name in block]
    headers += [_header(name, value) for name, value in block.get("headers", {}).items()]
    for name, value in block.get("withoutHeaders", {}).items():
        inverted = {**_header(name, value), "invert_match": True}
        headers.append(inverted if not value else {**inverted, "treat_missing_header_as_empty": True})
    if headers:
        found["headers"] = headers
    if params := block.get("queryParams", {}):
        found["query_parameters"] = [
            {"name": name, **({"string_match": _string(value)} if value else {"present_match": True})}
            for name, value in params.items()
        ]
    return found


def _uri(value: Doc) -> Config:
    if "exact" in value:
        return {"path": value["exact"]}
    return {"safe_regex": {"regex": value["regex"]}} if "regex" in value else {"prefix": value.get("prefix", "/")}


def _header(name: str, value: Doc) -> Config:
    return {"name": name, "string_match": _string(value)} if value else {"name": name, "present_match": True}


def _string(value: Doc) -> Config:
    return {"safe_regex": {"regex": value["regex"]}} if "regex" in value else dict(value)


def _action(rule: Doc) -> Config:
    found: Config = {}
    if redirect := rule.get("redirect"):
        codes = {301: "MOVED_PERMANENTLY", 302: "FOUND", 307: "TEMPORARY_REDIRECT", 308: "PERMANENT_REDIRECT"}
        found["redirect"] = {"response_code": codes[redirect["redirectCode"]]}
        found["redirect"] |= {"host_redirect": redirect["authority"]} if "authority" in redirect else {}
        found["redirect"] |= {"path_redirect": redirect["uri"]} if "uri" in redirect else {}
    else:
        found["route"] = _route(rule)
    edits = rule.get("headers", {}).get("request", {})
    added = [
        {"header": {"key": name, "value": value}, "append_action": action}
        for field, action in (("set", "OVERWRITE_IF_EXISTS_OR_ADD"), ("add", "APPEND_IF_EXISTS_OR_ADD"))
        for name, value in edits.get(field, {}).items()
    ]
    if added:
        found["request_headers_to_add"] = added
    if "remove" in edits:
        found["request_headers_to_remove"] = list(edits["remove"])
    return found


def _route(rule: Doc) -> Config:
    names = [(_destination(one["destination"]), one.get("weight", 0)) for one in rule["route"]]
    timeout = str(rule.get("timeout", "0s"))
    found: Config = {"timeout": f"{int(timeout[:-2]) / 1000}s" if timeout.endswith("ms") else timeout}
    if len(names) == 1:
        found["cluster"] = names[0][0]
    else:
        weighted = [{"name": name, "weight": weight} for name, weight in names if weight]
        found["weighted_clusters"] = {"clusters": weighted}
    if rewrite := rule.get("rewrite", {}).get("uriRegexRewrite"):
        pattern = {"pattern": {"regex": rewrite["match"]}, "substitution": rewrite["rewrite"]}
        found["regex_rewrite"] = pattern
    return found


def _destination(value: Doc) -> str:
    return cluster_name(value["host"], value["port"]["number"], value.get("subset"))


def clusters_of(config: Config) -> set[str]:
    """Every group of endpoints that the routes name."""
    found: set[str] = set()
    for host in config["virtual_hosts"]:
        for one in host["routes"]:
            action = one.get("route", {})
            found |= {action["cluster"]} if "cluster" in action else set()
            found |= {share["name"] for share in action.get("weighted_clusters", {}).get("clusters", ())}
    return found
