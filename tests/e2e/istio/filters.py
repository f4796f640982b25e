"""Filters of a chain in their order: what istiod pushes, run over one arrival."""

from __future__ import annotations

from typing import Any

from tests.e2e.istio.arrivals import Arrival
from tests.e2e.istio.chains import chain_for, passes_tls
from tests.e2e.istio.paths import RefusedPathError, seen_path
from tests.e2e.istio.rbac import Stream, allows, matched
from tests.e2e.istio.strings import Config, is_match
from tests.e2e.istio.tokens import verified

_RBAC = ("envoy.filters.network.rbac", "envoy.filters.http.rbac")
_ASK = ("envoy.filters.network.ext_authz", "envoy.filters.http.ext_authz", "envoy.ext_authz")
_TOKENS = "envoy.filters.http.jwt_authn"
_MANAGER = "envoy.filters.network.http_connection_manager"
_XFF = "x-forwarded-for"


class OtherWayError(Exception):
    """The chain does something else with these bytes than what the arrival is about: no test of a decision."""


def lets_in(listener: Config, arrival: Arrival) -> bool:
    """Whether the workload gets the request or connection."""
    chain = chain_for(listener, arrival)
    if chain is None:
        return False
    is_http = any(one["name"] == _MANAGER for one in chain["filters"])
    if is_http != arrival.is_http:
        raise OtherWayError(chain.get("name"))
    if not passes_tls(chain, arrival):
        return False
    stream = Stream(arrival, client=arrival.peer)
    return all(_network_filter(one, stream) for one in chain["filters"])


def _network_filter(one: Config, stream: Stream) -> bool:
    if one["name"] != _MANAGER:
        return _decides(one, stream)
    manager = one["typedConfig"]
    try:
        stream.path = seen_path(manager, stream.arrival.raw_path)
    except RefusedPathError:
        return False
    stream.client = _client(manager, stream.arrival)
    return all(_http_filter(each, stream) for each in manager["httpFilters"])


def _http_filter(one: Config, stream: Stream) -> bool:
    return verified(one["typedConfig"], stream) if one["name"] == _TOKENS else _decides(one, stream)


def _decides(one: Config, stream: Stream) -> bool:
    config = one.get("typedConfig", {})
    if one["name"] in _RBAC:
        _note(one["name"], config, stream)
        return "rules" not in config or allows(config["rules"], stream)
    return one["name"] not in _ASK or not _is_asked(config, stream) or _says_yes(config, stream)


def _note(name: str, config: Config, stream: Stream) -> None:
    """Rules in the shadow decide nothing: what they find is metadata."""
    if "shadowRules" in config and (found := matched(config["shadowRules"], stream)) is not None:
        notes = stream.metadata.setdefault(name, {})
        notes[config.get("shadowRulesStatPrefix", "") + "shadow_effective_policy_id"] = found


def _is_asked(config: Config, stream: Stream) -> bool:
    wanted = config.get("filterEnabledMetadata")
    if wanted is None:
        return True
    found: Any = stream.metadata.get(wanted["filter"], {}).get(wanted["path"][0]["key"])
    return found is not None and is_match(wanted["value"]["stringMatch"], found)


def _says_yes(config: Config, stream: Stream) -> bool:
    """What the authorizer would say: it is named in the cluster that is asked."""
    service = config.get("httpService", {}).get("serverUri", {}).get("cluster")
    cluster = service or config["grpcService"]["envoyGrpc"]["clusterName"]
    return next(is_yes for name, is_yes in stream.arrival.request.answers if f"|{name}." in cluster)


def _client(manager: Config, arrival: Arrival) -> str:
    """The client's address: what is forwarded counts from the right, as far as proxies are trusted."""
    hops = [hop.strip() for line in arrival.lines(_XFF) for hop in line.split(",")]
    trusted = int(manager.get("xffNumTrustedHops", 0))
    if manager.get("useRemoteAddress"):
        return hops[-trusted] if 0 < trusted <= len(hops) else arrival.peer
    return hops[-1 - trusted] if trusted < len(hops) else arrival.peer
