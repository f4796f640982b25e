"""What istiod pushes, put on the real Envoy: its listeners, with what only a cluster has replaced.

Replaced are addresses, certificates, and where requests go once they are let in; taken out are the filters that only
Istio's build of Envoy has. What decides stays as it was pushed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.envoy.certificates import Authority
from tests.e2e.envoy.listeners import Address, address_of, answering
from tests.e2e.envoy.rbac import TYPE
from tests.e2e.istio.istiod import Listener

SERVER = "spiffe://td1/ns/n1/sa/server"
_MANAGER = "envoy.filters.network.http_connection_manager"
_DECIDING = ("envoy.filters.http.rbac", "envoy.filters.http.jwt_authn", "envoy.filters.http.router")
_RBAC = "envoy.filters.network.rbac"
_INSPECTORS = ("envoy.filters.listener.tls_inspector", "envoy.filters.listener.http_inspector")
_KEPT = (
    "useRemoteAddress",
    "xffNumTrustedHops",
    "normalizePath",
    "mergeSlashes",
    "pathWithEscapedSlashesAction",
    "statPrefix",
    "@type",
)

Config = dict[str, Any]


def bootstrap(listeners: list[Config]) -> Config:
    """The configuration of an Envoy. Fragments are cut off, as Istio's own bootstrap says."""
    runtime = {
        "envoy.reloadable_features.http_reject_path_with_fragment": False,
        "envoy.features.enable_all_deprecated_features": True,
    }
    return {
        "layered_runtime": {"layers": [{"name": "istio", "static_layer": runtime}]},
        "static_resources": {"listeners": listeners},
    }


def at(pushed: Listener, place: Address, authority: Authority) -> Config:
    """The listener at an address, as it takes what comes to the port of that address."""
    chains = [_chain(one, authority) for one in pushed["filterChains"] if _is_for(one, place[1])]
    inspectors = [one for one in pushed.get("listenerFilters", ()) if one["name"] in _INSPECTORS]
    return {
        "name": f"{place[0]}:{place[1]}",
        "address": address_of(place),
        "listenerFilters": inspectors,
        "filterChains": chains,
    }


def _is_for(chain: Config, port: int) -> bool:
    return bool(chain.get("filterChainMatch", {}).get("destinationPort", port) == port)


def _chain(chain: Config, authority: Authority) -> Config:
    match = {key: value for key, value in chain.get("filterChainMatch", {}).items() if key != "prefixRanges"}
    found: Config = {"filterChainMatch": match, "filters": list(_network_filters(chain))}
    if "transportSocket" in chain:
        found["transportSocket"] = _with_files(chain["transportSocket"], authority)
    return found


def _network_filters(chain: Config) -> Iterator[Config]:
    for one in chain["filters"]:
        if one["name"] == _RBAC:
            yield one
        elif one["name"] == _MANAGER:
            manager = one["typedConfig"]
            kept = {key: value for key, value in manager.items() if key in _KEPT}
            filters = [each for each in manager["httpFilters"] if each["name"] in _DECIDING]
            yield {**one, "typedConfig": kept | {"routeConfig": answering(), "httpFilters": filters}}
            return
    yield {
        "name": "envoy.filters.network.echo",
        "typedConfig": {"@type": f"{TYPE}envoy.extensions.filters.network.echo.v3.Echo"},
    }


def _with_files(socket: Config, authority: Authority) -> Config:
    """The same TLS with certificates from files."""
    found: Config = json.loads(json.dumps(socket))
    context = found["typedConfig"]["commonTlsContext"]
    own = authority.of(SERVER)
    certificate = {"certificateChain": {"filename": str(own.certificate)}, "privateKey": {"filename": str(own.key)}}
    combined = context.pop("combinedValidationContext", {})
    context.pop("tlsCertificateSdsSecretConfigs", None)
    context["tlsCertificates"] = [certificate]
    trusted = {"trustedCa": {"filename": str(authority.root)}}
    context["validationContext"] = combined.get("defaultValidationContext", {}) | trusted
    return found
