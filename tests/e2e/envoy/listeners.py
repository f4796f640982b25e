"""Envoy's listeners for a workload, as istiod configures the proxy before it (pilot/pkg/networking/core)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.rbac import PAYLOAD, TYPE, Config, Doc, rules_of
from tests.e2e.envoy.tokens import Mint
from tests.e2e.envoy.workloads import Cluster, Pod

HTTP_ALPN = ("istio-http/1.0", "istio-http/1.1", "istio-h2")
"""What sidecars say when they call over HTTP, and so what tells their TLS from a workload's own."""

TCP_ALPN = ("istio",)
ASKING = "istio_ext_authz_"
_HTTP = f"{TYPE}envoy.extensions.filters.http."
_NETWORK = f"{TYPE}envoy.extensions.filters.network."

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class World:
    """What the proxies trust. `authorizers` are where they ask, by the name of the provider."""

    authority: Authority
    mint: Mint
    domains: tuple[str, ...]
    authorizers: dict[str, str] = field(default_factory=dict)


def address_of(address: Address) -> Config:
    """An address in Envoy's words."""
    return {"socket_address": {"address": address[0], "port_value": address[1]}}


def listener(name: str, address: Address, chains: Sequence[Config]) -> Config:
    """A listener that looks at the first bytes of TLS to choose among its filter chains."""
    inspector = {"@type": f"{TYPE}envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector"}
    return {
        "name": name,
        "address": address_of(address),
        "listener_filters": [{"name": "envoy.filters.listener.tls_inspector", "typed_config": inspector}],
        "filter_chains": list(chains),
    }


def inbound(cluster: Cluster, pod: Pod, port: int, world: World) -> list[Config]:
    """The filter chains before one port of a workload."""
    mode = cluster.mtls_mode(pod, port)
    if port in pod.tcp_ports:
        filters = tcp_filters(cluster, pod)
        strict = {"transport_protocol": "tls"}
        istio = {**strict, "application_protocols": [*TCP_ALPN, *HTTP_ALPN]}
    else:
        filters = [connection_manager(cluster, pod, world)]
        strict = {"transport_protocol": "tls"}
        istio = {**strict, "application_protocols": list(HTTP_ALPN)}
    mutual = {"transport_socket": mutual_tls(world), "filters": filters}
    match mode:
        case "STRICT":
            return [{"filter_chain_match": strict, **mutual}]
        case "PERMISSIVE" if port in pod.tcp_ports:
            return [{"filter_chain_match": istio, **mutual}, {"filters": filters}]
        case "PERMISSIVE":
            return [
                {"filter_chain_match": istio, **mutual},
                {"filter_chain_match": {"transport_protocol": "raw_buffer"}, "filters": filters},
            ]
        case _:
            return [{"filters": filters}]


def mutual_tls(world: World) -> Config:
    """Both sides show a certificate; the caller's is of a trusted domain."""
    names = [{"san_type": "URI", "matcher": {"prefix": f"spiffe://{domain}/"}} for domain in world.domains]
    validation = {"trusted_ca": {"filename": str(world.authority.root)}, "match_typed_subject_alt_names": names}
    return server_tls(world, {"validation_context": validation}, asks=True)


def server_tls(world: World, common: Config, *, asks: bool) -> Config:
    """TLS that ends here."""
    pair = world.authority.of(f"spiffe://{world.domains[0]}/ns/x/sa/server")
    certificate = {
        "certificate_chain": {"filename": str(pair.certificate)},
        "private_key": {"filename": str(pair.key)},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPE}envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "require_client_certificate": asks,
            "common_tls_context": {
                "tls_certificates": [certificate],
                "alpn_protocols": ["istio-http/1.1", "istio", "http/1.1"],
                **common,
            },
        },
    }


def tcp_filters(cluster: Cluster, pod: Pod) -> list[Config]:
    """What judges connections, before what sends everything back."""
    found = []
    for action in ("DENY", "ALLOW"):
        if specs := cluster.policies(pod, action):
            rules = rules_of(specs, action, cluster.bundle, is_tcp=True)
            config = {"@type": f"{_NETWORK}rbac.v3.RBAC", "stat_prefix": "tcp.", "rules": rules}
            found.append({"name": "envoy.filters.network.rbac", "typed_config": config})
    echo = {"@type": f"{_NETWORK}echo.v3.Echo"}
    return [*found, {"name": "envoy.filters.network.echo", "typed_config": echo}]


def connection_manager(
    cluster: Cluster, pod: Pod, world: World, routes: Config | None = None, *, trusted_proxies: int | None = None
) -> Config:
    """What judges requests. `routes` is where they go (answered here if left out); gateways trust some proxies."""
    config: Config = {
        "@type": f"{_NETWORK}http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "inbound",
        "codec_type": "AUTO",
        "use_remote_address": trusted_proxies is not None,
        "route_config": routes or answering(),
        "http_filters": [*http_filters(cluster, pod, world), _filter("router", "router.v3.Router")],
        **normalization(cluster.mode),
    }
    if trusted_proxies:
        config["xff_num_trusted_hops"] = trusted_proxies
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": config}


def normalization(mode: str) -> Config:
    """Istio's modes in Envoy's words."""
    found: Config = {"normalize_path": mode != "NONE"}
    if mode in {"MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"}:
        found["merge_slashes"] = True
    if mode == "DECODE_AND_MERGE_SLASHES":
        found["path_with_escaped_slashes_action"] = "UNESCAPE_AND_FORWARD"
    return found


def answering(status: int = 200) -> Config:
    """A route for everything that answers with the path that it saw."""
    seen = {"header": {"key": "x-seen-path", "value": "%REQ(:PATH)%"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
    route = {"match": {"prefix": "/"}, "direct_response": {"status": status}}
    host = {"name": "all", "domains": ["*"], "routes": [route], "response_headers_to_add": [seen]}
    return {"name": "local", "virtual_hosts": [host]}


def http_filters(cluster: Cluster, pod: Pod, world: World) -> list[Config]:
    """CUSTOM, then tokens, then DENY, then ALLOW."""
    found = []
    for provider, specs in _by_provider(cluster.policies(pod, "CUSTOM")):
        found += _ask(cluster, provider, specs, world)
    if rules := [rule for doc in cluster.selecting("RequestAuthentication", pod) for rule in doc["spec"]["jwtRules"]]:
        found.append(_tokens(rules, world.mint))
    for action in ("DENY", "ALLOW"):
        if specs := cluster.policies(pod, action):
            rules_ = rules_of(specs, action, cluster.bundle, is_tcp=False)
            found.append(_filter("rbac", "rbac.v3.RBAC", rules=rules_))
    return found


def _by_provider(specs: Iterable[Doc]) -> list[tuple[str, list[Doc]]]:
    found: dict[str, list[Doc]] = {}
    for spec in specs:
        found.setdefault(spec["provider"]["name"], []).append(spec)
    return sorted(found.items())


def _ask(cluster: Cluster, provider: str, specs: list[Doc], world: World) -> list[Config]:
    prefix = f"{ASKING}{provider}_"
    rules = rules_of(specs, "DENY", cluster.bundle, is_tcp=False)
    is_meant = {
        "filter": "envoy.filters.http.rbac",
        "path": [{"key": f"{prefix}shadow_effective_policy_id"}],
        "value": {"string_match": {"prefix": "istio-ext-authz"}},
    }
    service = {
        "server_uri": {"uri": "http://asked", "cluster": world.authorizers[provider], "timeout": "10s"},
        "authorization_request": {"allowed_headers": {"patterns": [{"exact": f"x-answer-{provider}"}]}},
    }
    return [
        _filter("rbac", "rbac.v3.RBAC", shadow_rules=rules, shadow_rules_stat_prefix=prefix),
        _filter("ext_authz", "ext_authz.v3.ExtAuthz", http_service=service, filter_enabled_metadata=is_meant),
    ]


def _tokens(rules: list[Doc], mint: Mint) -> Config:
    providers: Config = {}
    for number, rule in enumerate(sorted(rules, key=lambda one: str(one["issuer"]))):
        provider: Config = {
            "issuer": rule["issuer"],
            "local_jwks": {"inline_string": mint.jwks(rule["issuer"])},
            "forward": rule.get("forwardOriginalToken", False),
            "payload_in_metadata": PAYLOAD,
            "normalize_payload_in_metadata": {"space_delimited_claims": ["scope", "permission"]},
        }
        if "audiences" in rule:
            provider["audiences"] = rule["audiences"]
        if "fromHeaders" in rule:
            places = [{"name": one["name"], "value_prefix": one.get("prefix", "")} for one in rule["fromHeaders"]]
            provider["from_headers"] = places
        if "fromParams" in rule:
            provider["from_params"] = rule["fromParams"]
        if "fromCookies" in rule:
            provider["from_cookies"] = rule["fromCookies"]
        providers[f"origins-{number}"] = provider
    return _filter(
        "jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        providers=providers,
        rules=[{"match": {"prefix": "/"}, "requires": _required(list(providers))}],
        bypass_cors_preflight=True,
    )


def _required(names: list[str]) -> Config:
    """No token passes; else one issuer must vouch for every token where it looks."""
    missing: Config = {"allow_missing": {}}
    one = [{"provider_name": name} for name in names]
    if len(one) == 1:
        return {"requires_any": {"requirements": [one[0], missing]}}
    none = [{"requires_any": {"requirements": [requirement, missing]}} for requirement in one]
    return {"requires_any": {"requirements": [*one, {"requires_all": {"requirements": none}}]}}


def _filter(name: str, kind: str, **config: object) -> Config:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": _HTTP + kind, **config}}
