"""Fields of App Mesh in Envoy's words: matches, TLS, clusters, and what stands at every listener for requests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.e2e.envoy.certificates import Authority, Pair
from tests.e2e.envoy.listeners import address_of
from tests.e2e.envoy.rbac import TYPE, Config

Address = tuple[str, int]
Doc = dict[str, Any]

KINDS = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")
_LAST = 1001
_HTTP2 = {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": f"{TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "explicit_http_config": {"http2_protocol_options": {}},
    }
}


def part_of(route: Doc) -> Doc:
    """What a route is of its kind."""
    part: Doc = next(route["spec"][kind] for kind in KINDS if kind in route["spec"])
    return part


def ordered(routes: Sequence[Doc]) -> list[tuple[Doc, Doc]]:
    """Routes, each with what it is of its kind, the first first."""
    return sorted(((one, part_of(one)) for one in routes), key=lambda pair: pair[0]["spec"].get("priority", _LAST))


def is_for(part: Doc, port: int) -> bool:
    """Whether a route is asked at the port."""
    return part.get("match", {}).get("port") in {None, port}


def match_of(match: Doc) -> Config:
    """What a match asks, in Envoy's words."""
    found: Config = {"prefix": match.get("prefix", "/")}
    path = match.get("path", {})
    if "exact" in path:
        found = {"path": path["exact"]}
    elif "regex" in path:
        found = {"safe_regex": {"regex": path["regex"]}}
    elif "methodName" in match:
        found = {"path": f"/{match['serviceName']}/{match['methodName']}"}
    elif "serviceName" in match:
        found = {"prefix": f"/{match['serviceName']}/"}
    headers = [_header(one) for one in (*match.get("headers", ()), *match.get("metadata", ()))]
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


def cluster_of(name: str, address: Address, protocol: str = "http") -> Config:
    """A cluster of one address."""
    endpoint = {"endpoint": {"address": address_of(address)}}
    found: Config = {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    return {**found, "typed_extension_protocol_options": _HTTP2} if protocol in {"http2", "grpc"} else found


def client_socket(tls: Doc, authority: Authority) -> Config:
    """TLS of a caller, by its client policy: who it is, and whom it takes for the one that it calls."""
    common: Config = {}
    if "certificate" in tls:
        common["tls_certificates"] = [_files(authority.of(tls["certificate"]["sds"]["secretName"]))]
    if "validation" in tls:
        common["validation_context"] = _validation(tls["validation"], authority)
    return _socket("Upstream", {"common_tls_context": common})


def server_socket(tls: Doc, authority: Authority) -> Config:
    """TLS of a listener: whom it asks for a certificate, and whose it takes."""
    common: Config = {"tls_certificates": [_files(authority.of(tls["certificate"]["sds"]["secretName"]))]}
    validation = tls.get("validation")
    if validation is not None:
        common["validation_context"] = _validation(validation, authority)
    return _socket("Downstream", {"common_tls_context": common, "require_client_certificate": validation is not None})


def _validation(validation: Doc, authority: Authority) -> Config:
    """A name may be any of a certificate's; without names each certificate of the authority is taken."""
    context: Config = {"trusted_ca": {"filename": str(authority.root)}}
    names = validation.get("subjectAlternativeNames", {}).get("match", {}).get("exact", [])
    if names:
        context["match_typed_subject_alt_names"] = [
            {"san_type": kind, "matcher": {"exact": name}} for name in names for kind in ("URI", "DNS")
        ]
    return context


def _files(pair: Pair) -> Config:
    return {"certificate_chain": {"filename": str(pair.certificate)}, "private_key": {"filename": str(pair.key)}}


def _socket(side: str, context: Config) -> Config:
    kind = f"{TYPE}envoy.extensions.transport_sockets.tls.v3.{side}TlsContext"
    return {"name": "tls", "typed_config": {"@type": kind, **context}}


def manager(name: str, virtual_hosts: Sequence[Config]) -> Config:
    """What judges requests at a listener. It takes HTTP/1.1 and HTTP/2, and upgrades to websockets."""
    kind = f"{TYPE}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    router = {"@type": f"{TYPE}envoy.extensions.filters.http.router.v3.Router"}
    found: Config = {
        "@type": kind,
        "stat_prefix": name.replace(":", "_"),
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "KEEP_UNCHANGED",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"name": name, "virtual_hosts": list(virtual_hosts)},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": router}],
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": found}


def echo() -> Config:
    """A workload of connections: it sends everything back."""
    kind = f"{TYPE}envoy.extensions.filters.network.echo.v3.Echo"
    return {"name": "envoy.filters.network.echo", "typed_config": {"@type": kind}}
