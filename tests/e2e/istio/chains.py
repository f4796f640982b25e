"""Which filter chain of a listener takes a connection (envoy/config/listener/v3), and whether TLS takes the peer."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import Any

from tests.e2e.istio.arrivals import Arrival
from tests.e2e.istio.strings import Config, is_match

_TLS = "envoy.filters.listener.tls_inspector"
_HTTP = "envoy.filters.listener.http_inspector"


def chain_for(listener: Config, arrival: Arrival) -> Config | None:
    """The chain that matches best, criterion by criterion in Envoy's order; None where the connection is closed."""
    found: list[Config] = list(listener.get("filterChains", ()))
    seen = arrival.as_inspected(sees_tls=_is_on(listener, _TLS, arrival), sees_http=_is_on(listener, _HTTP, arrival))
    for narrowed in (_by_port, _by_address, _by_server_name, _by_transport, _by_protocols):
        found = narrowed(found, seen)
    if not found:
        return listener.get("defaultFilterChain")
    assert len(found) == 1, [one.get("name") for one in found]
    return found[0]


def passes_tls(chain: Config, arrival: Arrival) -> bool:
    """Whether the handshake succeeds: a peer with a certificate must have a name that is listed, if any is."""
    socket = chain.get("transportSocket")
    if socket is None:
        return arrival.identity is None
    context = socket["typedConfig"]
    if not arrival.is_tls or (arrival.identity is None and context.get("requireClientCertificate")):
        return False
    return arrival.identity is None or any(is_match(one, arrival.identity) for one in _names(context))


def _names(context: Config) -> Iterable[Config]:
    validation = context["commonTlsContext"].get("combinedValidationContext", {}).get("defaultValidationContext", {})
    typed = [one["matcher"] for one in validation.get("matchTypedSubjectAltNames", ()) if one["sanType"] == "URI"]
    listed = [*validation.get("matchSubjectAltNames", ()), *typed]
    return listed or [{"prefix": ""}]


def _is_on(listener: Config, name: str, arrival: Arrival) -> bool:
    """Whether the listener looks at the first bytes in this way, which it need not do at every port."""
    found = next((one for one in listener.get("listenerFilters", ()) if one["name"] == name), None)
    if found is None or "filterDisabled" not in found:
        return found is not None
    return not _is_off(found["filterDisabled"], arrival.local.port)


def _is_off(predicate: Config, port: int) -> bool:
    kind, value = next(iter(predicate.items()))
    match kind:
        case "orMatch":
            return any(_is_off(one, port) for one in value["rules"])
        case "andMatch":
            return all(_is_off(one, port) for one in value["rules"])
        case "notMatch":
            return not _is_off(value, port)
        case "anyMatch":
            return bool(value)
        case _:
            return bool(value.get("start", 0) <= port < value.get("end", 0))


def _match(chain: Config) -> dict[str, Any]:
    return dict(chain.get("filterChainMatch", {}))


def _said(chains: list[Config], field: str, *, is_met: Any) -> list[Config]:  # noqa: ANN401  a predicate on a value
    """Those that say something that is met; if there are none, those that say nothing."""
    met = [one for one in chains if field in _match(one) and is_met(_match(one)[field])]
    return met or [one for one in chains if field not in _match(one)]


def _by_port(chains: list[Config], arrival: Arrival) -> list[Config]:
    return _said(chains, "destinationPort", is_met=lambda port: port == arrival.local.port)


def _by_address(chains: list[Config], arrival: Arrival) -> list[Config]:
    address = ip_address(arrival.local.address)

    def size(chain: Config) -> int:
        blocks = [
            ip_network(f"{one['addressPrefix']}/{one.get('prefixLen', 0)}") for one in _match(chain)["prefixRanges"]
        ]
        return max((block.prefixlen for block in blocks if address in block), default=-1)

    said = [one for one in chains if "prefixRanges" in _match(one)]
    longest = max(map(size, said), default=-1)
    if longest >= 0:
        return [one for one in said if size(one) == longest]
    return [one for one in chains if "prefixRanges" not in _match(one)]


def _by_server_name(chains: list[Config], arrival: Arrival) -> list[Config]:
    name = arrival.server_name
    parts = name.split(".")
    for wanted in (name, *("*." + ".".join(parts[at:]) for at in range(1, len(parts)))):
        met = [one for one in chains if wanted in _match(one).get("serverNames", ())]
        if name and met:
            return met
    return [one for one in chains if "serverNames" not in _match(one)]


def _by_transport(chains: list[Config], arrival: Arrival) -> list[Config]:
    transport = "tls" if arrival.is_tls else "raw_buffer"
    return _said(chains, "transportProtocol", is_met=lambda wanted: wanted == transport)


def _by_protocols(chains: list[Config], arrival: Arrival) -> list[Config]:
    for offered in arrival.application_protocols:
        met = [one for one in chains if offered in _match(one).get("applicationProtocols", ())]
        if met:
            return met
    return [one for one in chains if "applicationProtocols" not in _match(one)]
