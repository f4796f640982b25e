"""Where a gateway's listener leads: each request to nodes, by gateway routes and the virtual services behind them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from meshproof.compiler.ir.matchers import Exact, Suffix
from meshproof.compiler.ir.names import Origin
from meshproof.compiler.ir.predicate import Predicate, conjunction
from meshproof.compiler.ir.routing import Retry
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.appmesh.lift.composed.admission import Admission
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.matching import hosts_of
from meshproof.targets.appmesh.lift.composed.order import Taken, in_turn, part_of
from meshproof.targets.appmesh.lift.composed.sending import (
    DEFAULT_MS,
    is_silent,
    least,
    limit_of,
    listener_limit,
    retry_of,
)
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway


@dataclass(frozen=True, slots=True)
class End:
    """A listener of a node that may get the requests, by the virtual node's name."""

    node: str
    port: int
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Lead:
    """The requests that go to one of `ends`; none if the gateway answers them itself, for want of a provider.

    `timeout_ms` and `retry` are those of the way from the gateway; `name` tells the route, `hosts` for which it is.
    """

    name: str
    condition: Predicate
    ends: tuple[End, ...]
    origin: Origin
    timeout_ms: int | None = None
    retry: Retry | None = None
    hosts: Exact | Suffix | None = None


class Leading:
    """Follows the routes of gateways. Whatever is not plain on the way is a doubt."""

    def __init__(self, resources: Resources, doubts: Doubts) -> None:
        self._doubts = doubts
        self._nodes = {one.name: one for one in resources.nodes}
        self._services = {one.name: one for one in resources.services}
        self._routers = {one.name: one for one in resources.routers}
        self._routes = resources.routes
        self._gateway_routes = resources.gateway_routes
        self._found: dict[tuple[str, int], tuple[Lead, ...]] = {}

    def leads(self, gateway: Found[VirtualGateway], listener: Admission, *, is_gate: bool = False) -> tuple[Lead, ...]:
        """What becomes of requests to the listener; the rest is answered with 404.

        A gate `is_gate` for callers who may name whom they like: by a host that stays they might call another virtual
        service that the gate knows. To a gateway of the policy hosts are told apart, and stay.
        """
        key = (gateway.name, listener.port)
        if key not in self._found:
            own = tuple(one for one in self._gateway_routes if one.value.virtual_gateway_name == gateway.name)
            taken = in_turn(own, lambda _, part: part.match.port in {None, listener.port})
            self._found[key] = tuple(
                replace(lead, hosts=hosts_of(one.part.match))
                for one in taken
                for lead in self._leads(one, listener, is_gate=is_gate)
            )
        return self._found[key]

    def check_hosts(self, gateway: Found[VirtualGateway]) -> None:
        """Where a host decides who is let through, its port does: nothing tells whether App Mesh takes it off."""
        for one in self._gateway_routes:
            if one.value.virtual_gateway_name == gateway.name and hosts_of(part_of(one)[1].match) is not None:
                self._doubts.add(one.name, "asks for a host, which may come with a port or without", one.origin)

    def _leads(self, taken: Taken, listener: Admission, *, is_gate: bool) -> Iterator[Lead]:
        target = taken.part.action.target
        service = target.virtual_service.virtual_service_name
        if taken.kind != listener.spoken:
            self._doubt(taken, f"is one of {taken.kind}, and port {listener.port} speaks {listener.spoken}")
        if _is_rewriting_paths(taken.part):
            self._doubt(taken, "rewrites the path of requests")
        found = self._services.get(service)
        is_refusing = found is not None and found.value.spec.provider is None
        self._check_host(taken, is_kept=not is_gate and not is_refusing)
        if found is None:
            self._doubt(taken, f"leads to the virtual service `{service}`, which no file has")
            return
        provider = found.value.spec.provider
        if provider is None:
            yield Lead(taken.found.name, taken.condition, (), taken.origin)
        elif provider.virtual_node is not None:
            ends = tuple(self._end(taken, provider.virtual_node.virtual_node_name, target.port, 1))
            timeout = self._limit(ends, DEFAULT_MS)
            yield Lead(taken.found.name, taken.condition, ends, taken.origin, timeout)
        elif provider.virtual_router is not None:
            yield from self._routed(taken, provider.virtual_router.virtual_router_name, target.port)

    def _check_host(self, taken: Taken, *, is_kept: bool) -> None:
        """Behind its routes a gateway knows virtual services by the host; where that stays, by a header of its own."""
        is_rewriting = _is_rewriting_hosts(taken.part)
        if is_kept and is_rewriting:
            self._doubt(taken, "rewrites the host of requests")
        elif not is_rewriting and (not is_kept or self._may_be_named(taken)):
            self._doubt(taken, "lets callers name another virtual service by the host")

    def _may_be_named(self, taken: Taken) -> bool:
        """Whether a host that the route takes is that of one virtual service of several behind the gateway."""
        gateway, hosts = taken.found.value.virtual_gateway_name, hosts_of(taken.part.match)
        own = (one for one in self._gateway_routes if one.value.virtual_gateway_name == gateway)
        called = {part_of(one)[1].action.target.virtual_service.virtual_service_name for one in own}
        named = {lower_ascii(name) for name in called if self._is_provided(name)}
        return len(named) > 1 and any(_takes(hosts, name) for name in named)

    def _is_provided(self, name: str) -> bool:
        return name in self._services and self._services[name].value.spec.provider is not None

    def _routed(self, taken: Taken, name: str, port: int | None) -> Iterator[Lead]:
        router = self._routers.get(name)
        numbers = () if router is None else tuple(one.port_mapping.port for one in router.value.spec.listeners or ())
        called = port if port is not None else numbers[0] if len(numbers) == 1 else None
        if called not in numbers:
            self._doubt(taken, f"does not tell which port of the virtual router `{name}` it calls")
            return
        own = tuple(one for one in self._routes if one.value.virtual_router_name == name)
        for way in in_turn(own, lambda _, part: _port(part) in {None, called}):
            if way.kind != taken.kind:
                self._doubt(way, f"is one of {way.kind}, and what comes to it is of {taken.kind}")
            ends: list[End] = []
            for target in way.part.action.weighted_targets:
                if target.weight:
                    number = called if target.port is None else target.port
                    ends += self._end(way, target.virtual_node, number, target.weight)
            if not ends:
                self._doubt(way, "gives no node a share")
            condition = conjunction((taken.condition, way.condition))
            timeout, retry = None, None
            if way.kind != "tcp":
                timeout, retry = self._limit(tuple(ends), limit_of(way.part)), retry_of(way.part, way.origin)
                if is_silent(way.part):
                    self._doubt(way, "says nothing of retries, and App Mesh tries again by itself")
            name_of_both = f"{taken.found.name}/{way.found.name}"
            yield Lead(name_of_both, condition, tuple(ends), way.origin, timeout, retry)

    def _limit(self, ends: tuple[End, ...], own: int | None) -> int | None:
        """The shortest limit of time on the way."""
        listeners = (
            one
            for end in ends
            for one in self._nodes[end.node].value.spec.listeners or ()
            if one.port_mapping.port == end.port
        )
        return least((own, *map(listener_limit, listeners)))

    def _end(self, taken: Taken, name: str, port: int | None, weight: int) -> Iterator[End]:
        """The listener of the node that is reached: the one that is named, else the only one."""
        node = self._nodes.get(name)
        numbers = () if node is None else tuple(one.port_mapping.port for one in node.value.spec.listeners or ())
        if node is None:
            self._doubt(taken, f"leads to the virtual node `{name}`, which no file has")
        elif port in numbers:
            yield End(name, port, weight)
        elif len(numbers) == 1 and port is None:
            yield End(name, numbers[0], weight)
        else:
            self._doubt(taken, f"does not tell which listener of `{name}` it calls")

    def _doubt(self, taken: Taken, message: str) -> None:
        self._doubts.add(taken.found.name, message, taken.origin)


def _port(part: Any) -> int | None:  # noqa: ANN401  of any kind
    port: int | None = None if part.match is None else part.match.port
    return port


def _takes(hosts: Exact | Suffix | None, name: str) -> bool:
    if hosts is None:
        return True
    return name == hosts.value if isinstance(hosts, Exact) else name.endswith(hosts.value)


def _is_rewriting_hosts(part: Any) -> bool:  # noqa: ANN401  of HTTP or gRPC
    """Without a word the host becomes the name of the virtual service."""
    hostname = getattr(part.action.rewrite, "hostname", None)
    return hostname is None or bool(hostname.default_target_hostname != "DISABLED")


def _is_rewriting_paths(part: Any) -> bool:  # noqa: ANN401  of HTTP or gRPC
    """Without a word a prefix becomes `/`."""
    rewrite = part.action.rewrite
    if getattr(rewrite, "path", None) is not None:
        return True
    written, prefix = getattr(part.match, "prefix", None), getattr(rewrite, "prefix", None)
    if prefix is not None and (prefix.value is not None or prefix.default_prefix != "DISABLED"):
        return True
    return written not in {None, "/"} and prefix is None
