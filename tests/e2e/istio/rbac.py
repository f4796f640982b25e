"""Envoy's RBAC engine (envoy/config/rbac/v3), read from its protocol's documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.istio.arrivals import Arrival
from tests.e2e.istio.strings import Config, header_match, is_in_range, is_match, is_template_match, is_value_match


@dataclass(slots=True)
class Stream:
    """What the filters before have learnt: the path as it is judged, the client's address, metadata by filter."""

    arrival: Arrival
    path: str = ""
    client: str = ""
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)


def matched(rules: Config, stream: Stream) -> str | None:
    """The first policy, by name, that matches."""
    return next((name for name, policy in sorted(rules.get("policies", {}).items()) if _policy(policy, stream)), None)


def allows(rules: Config, stream: Stream) -> bool:
    """Whether the engine lets the stream go on. ALLOW is what is not said."""
    is_match_found = matched(rules, stream) is not None
    action = rules.get("action", "ALLOW")
    return is_match_found if action == "ALLOW" else action == "LOG" or not is_match_found


def _policy(policy: Config, stream: Stream) -> bool:
    return any(_permission(one, stream) for one in policy["permissions"]) and any(
        _principal(one, stream) for one in policy["principals"]
    )


def _only(config: Config) -> tuple[str, Any]:
    assert len(config) == 1, config
    return next(iter(config.items()))


def _permission(config: Config, stream: Stream) -> bool:
    kind, value = _only(config)
    match kind:
        case "andRules":
            return all(_permission(one, stream) for one in value["rules"])
        case "orRules":
            return any(_permission(one, stream) for one in value["rules"])
        case "notRule":
            return not _permission(value, stream)
        case "destinationPort":
            return bool(value == stream.arrival.local.port)
        case "destinationIp":
            return is_in_range(value, stream.arrival.local.address)
        case "requestedServerName":
            return is_match(value, stream.arrival.server_name)
        case "uriTemplate":
            return is_template_match(value["typedConfig"]["pathTemplate"], stream.path)
        case _:
            return _either(kind, value, stream)


def _principal(config: Config, stream: Stream) -> bool:
    kind, value = _only(config)
    match kind:
        case "andIds":
            return all(_principal(one, stream) for one in value["ids"])
        case "orIds":
            return any(_principal(one, stream) for one in value["ids"])
        case "notId":
            return not _principal(value, stream)
        case "authenticated":
            identity = stream.arrival.identity
            return identity is not None and ("principalName" not in value or is_match(value["principalName"], identity))
        case "directRemoteIp":
            return is_in_range(value, stream.arrival.peer)
        case "remoteIp":
            return is_in_range(value, stream.client)
        case _:
            return _either(kind, value, stream)


def _either(kind: str, value: Any, stream: Stream) -> bool:  # noqa: ANN401  the value of a field
    """What permissions and principals have in common."""
    match kind:
        case "any":
            return bool(value)
        case "header":
            return header_match(value, stream.arrival.lines(value["name"].lower()))
        case "urlPath":
            return is_match(value["path"], stream.path)
        case "metadata":
            return _metadata(value, stream.metadata)
        case _:
            raise AssertionError(kind)


def _metadata(matcher: Config, metadata: Mapping[str, Mapping[str, Any]]) -> bool:
    found: object = metadata.get(matcher["filter"], {})
    for step in matcher["path"]:
        found = found.get(step["key"]) if isinstance(found, dict) else None
    return found is not None and is_value_match(matcher["value"], found)
