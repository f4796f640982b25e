"""What App Mesh asks of a resource besides its service model: what must stand together, and what must not.

Source: App Mesh user guide and the validating webhooks of its Kubernetes controller (`webhooks/appmesh`), which refuse
what the API says nothing of and then does not do as it looks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.targets.appmesh.model.gateway_route import GatewayRoute
from meshproof.targets.appmesh.model.route import Route
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.settled import is_settled

_RESERVED = ("/aws-appmesh", "/aws-app-mesh")
RETRIED = ("server-error", "gateway-error", "client-error", "stream-error")
"""When a request is sent again (API reference, `HttpRetryPolicy`); the service model takes any short text."""

_RANKED = ("http_route", "http2_route", "grpc_route", "tcp_route")


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a resource breaks. `path` leads to the place by the names of fields and the numbers of entries."""

    path: tuple[str | int, ...]
    message: str


def breaches(resource: object) -> tuple[Breach, ...]:
    """Every rule that a resource breaks by itself, whatever else there is."""
    match resource:
        case Route() | GatewayRoute():
            return tuple(_route(resource))
        case VirtualNode() | VirtualGateway():
            return tuple(_listening(resource))
        case _:
            return ()


def _route(route: Any) -> Iterator[Breach]:  # noqa: ANN401  a route or a gateway route
    kinds = [name for name in _RANKED if getattr(route.spec, name, None) is not None]
    if len(kinds) != 1:
        said = f"{len(kinds)} of them stand here" if kinds else "none of them stands here"
        yield Breach(("spec",), f"exactly one kind of route must be given, and {said}")
        return
    at, part = ("spec", kinds[0]), getattr(route.spec, kinds[0])
    yield from _retried(getattr(part, "retry_policy", None), (*at, "retry_policy"))
    match = part.match
    if match is None:
        return
    yield from _matched(match, (*at, "match"))
    yield from _rewritten(part, at)


def _matched(match: Any, at: tuple[str | int, ...]) -> Iterator[Breach]:  # noqa: ANN401
    prefix, path = getattr(match, "prefix", None), getattr(match, "path", None)
    if prefix is not None and path is not None:
        yield Breach(at, "a match has a prefix or a path, not both")
    if prefix is not None and not prefix.startswith("/"):
        yield Breach((*at, "prefix"), f"the prefix `{prefix}` does not start with `/`")
    if prefix is not None and prefix.startswith(_RESERVED):
        yield Breach((*at, "prefix"), f"the prefix `{prefix}` is reserved for App Mesh itself")
    if path is not None and (path.exact is None) == (path.regex is None):
        yield Breach((*at, "path"), "a path is exact or a regular expression: one of the two")
    hostname = getattr(match, "hostname", None)
    if hostname is not None and (hostname.exact is None) == (hostname.suffix is None):
        yield Breach((*at, "hostname"), "a host name is exact or a suffix: one of the two")
    if getattr(match, "method_name", None) is not None and match.service_name is None:
        yield Breach((*at, "method_name"), "a method of gRPC needs the name of its service")
    for name in ("headers", "metadata"):
        for index, header in enumerate(getattr(match, name, None) or ()):
            found = None if header.match is None else header.match.range
            if found is not None and found.start >= found.end:
                yield Breach((*at, name, index, "match", "range"), "a range starts before it ends")


def _retried(policy: Any, at: tuple[str | int, ...]) -> Iterator[Breach]:  # noqa: ANN401
    for index, event in enumerate(getattr(policy, "http_retry_events", None) or ()):
        if event not in RETRIED and is_settled(event):
            known = ", ".join(f"`{one}`" for one in RETRIED)
            yield Breach((*at, "http_retry_events", index), f"`{event}` is none of {known}")


def _rewritten(part: Any, at: tuple[str | int, ...]) -> Iterator[Breach]:  # noqa: ANN401
    rewrite = getattr(part.action, "rewrite", None)
    if rewrite is None:
        return
    prefix, path = getattr(rewrite, "prefix", None), getattr(rewrite, "path", None)
    if prefix is not None and path is not None:
        yield Breach((*at, "action", "rewrite"), "a prefix or a path is rewritten, not both")
    if prefix is not None and prefix.value is not None and prefix.default_prefix is not None:
        yield Breach((*at, "action", "rewrite", "prefix"), "a prefix becomes the default or a value: not both")
    if prefix is not None and getattr(part.match, "prefix", None) is None:
        yield Breach((*at, "action", "rewrite", "prefix"), "the match has no prefix that could be rewritten")


def _listening(resource: Any) -> Iterator[Breach]:  # noqa: ANN401  a node or a gateway
    seen: set[int] = set()
    for index, listener in enumerate(resource.spec.listeners or ()):
        at = ("spec", "listeners", index)
        mapping = listener.port_mapping
        if mapping.port in seen:
            yield Breach((*at, "port_mapping", "port"), f"another listener has the port {mapping.port}")
        seen.add(mapping.port)
        for name in ("connection_pool", "timeout"):
            found = getattr(listener, name, None)
            if found is not None and getattr(found, mapping.protocol, None) is None:
                yield Breach((*at, name), f"it is not of the protocol `{mapping.protocol}` of the listener")
    discovery = getattr(resource.spec, "service_discovery", None)
    if isinstance(resource, VirtualNode) and seen and discovery is None:
        yield Breach(("spec",), "a node with listeners says how it is found, by `service_discovery`")
