"""What is outside of the mesh, as the proxies of callers reach it: hosts by their names, with a node each.

Nobody else keeps that. A host is reached by its own name alone: by another one it would be asked for something else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from meshproof.compiler.backend.transport import LiftedOutside
from meshproof.compiler.ir.authz import AuthzRule, Effect
from meshproof.compiler.ir.entities import Destination, External, Layer
from meshproof.compiler.ir.matchers import Exact
from meshproof.compiler.ir.names import RuleId
from meshproof.compiler.ir.predicate import Host, SourceIdentity, Test, disjunction
from meshproof.targets.appmesh.lift.composed.calling import Call, calls_of
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.hops import Hop
from meshproof.targets.appmesh.lift.composed.sending import listener_limit
from meshproof.targets.appmesh.lift.composed.workloads import ServiceNodes, Workloads
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import outside_name
from meshproof.targets.common.callers import Identities
from meshproof.targets.common.callers_text import callers_text


@dataclass(frozen=True, slots=True)
class Outside:
    """The hosts of the policy's externals that have a node, by the name of that."""

    workloads: Workloads
    hops: tuple[Hop, ...]
    hosts: dict[str, tuple[External, str, Found[VirtualNode]]]

    @property
    def externals(self) -> tuple[External, ...]:
        """Those of which some host has a node."""
        known = {external.name: external for external, _, _ in self.hosts.values()}
        return tuple(known[name] for name in sorted(known))

    def check(self, doubts: Doubts) -> None:
        """A doubt for each node that is not the host, and for each way to one that is not plain."""
        for external, host, node in self.hosts.values():
            for message in _faults(external, host, node):
                doubts.add(node.name, message, node.origin)
        for hop in self.hops:
            ends = {(node, port) for step in hop.steps for node, port, _ in step.shares}
            beyond = {node for node, _ in ends} & self.hosts.keys()
            if beyond and not self._is_plain(hop):
                doubts.add(hop.service, f"leads outside to `{min(beyond)}`, and not as it is", hop.steps[0].origin)
        for one in self.workloads.services:
            if len({frozenset(places) for places in self._each(one)}) > 1:
                doubts.add(str(one.service.name), "has versions that reach others outside", one.service.origin)
            for node in one.nodes:
                for calls in calls_of(node, self.hops):
                    for call in calls.every:
                        if call.node in self.hosts and (call.is_encrypted or self.hosts[call.node][1] != call.service):
                            doubts.add(node.name, f"calls `{call.service}` outside as something else", calls.origin)

    def rules(self, identities: Identities) -> Iterator[AuthzRule]:
        """Who reaches each host on each port."""
        reached = {one.service.identity.uri: self._reached(one) for one in self.workloads.services}
        for name, (external, host, _) in sorted(self.hosts.items()):
            for port in external.ports:
                place = (name, port.number, port.workload)
                uris = sorted(uri for uri, places in reached.items() if place in places)
                if uris:
                    callers = disjunction(tuple(Test(SourceIdentity(), Exact(uri)) for uri in uris))
                    yield AuthzRule(
                        id=RuleId(f"{external.name}:{port.workload}/{host}"),
                        effect=Effect.ALLOW,
                        sources=identities.source_set(callers, callers_text(callers)),
                        destinations=(Destination(external.name, (port.workload,)),),
                        operations=(),
                        when=Test(Host(), Exact(host)),
                        origin=external.origin,
                    )

    def transport(self) -> tuple[LiftedOutside, ...]:
        """Where connections go that callers make to the hosts."""
        found = []
        for external, host, _ in self.hosts.values():
            for port in external.ports:
                ends = {call.port for call in self._calls() if (call.service, call.dialled) == (host, port.number)}
                found += [LiftedOutside(external.name, host, port.number, end) for end in sorted(ends)]
        return tuple(found)

    def _calls(self) -> Iterator[Call]:
        for one in self.workloads.services:
            for node in one.nodes:
                yield from (call for calls in calls_of(node, self.hops) for call in calls.every)

    def _reached(self, one: ServiceNodes) -> set[tuple[str, int, int]]:
        """The nodes outside, with the ports that are dialled and reached. All versions reach the same."""
        return set().union(*self._each(one))

    def _each(self, one: ServiceNodes) -> list[set[tuple[str, int, int]]]:
        return [
            {
                (call.node, call.dialled, call.port)
                for calls in calls_of(node, self.hops)
                for call in calls.every
                if call.node in self.hosts
            }
            for node in one.nodes
        ]

    def _is_plain(self, hop: Hop) -> bool:
        """Whether all that is asked for goes to one end, once, for as long as it takes."""
        if len(hop.steps) != 1:
            return False
        (step,) = hop.steps
        return step.match is None and len(step.shares) == 1 and step.timeout_ms is None and step.retry is None


def outside_of(resources: Resources, workloads: Workloads, hops: tuple[Hop, ...]) -> Outside:
    """What the resources hold of the policy's externals."""
    nodes = {one.name: one for one in resources.nodes}
    named = {outside_name(str(one.name), host): (one, host) for one in workloads.known.externals for host in one.hosts}
    hosts = {name: (*named[name], node) for name, node in nodes.items() if name in named}
    return Outside(workloads, hops, hosts)


def _faults(external: External, host: str, node: Found[VirtualNode]) -> Iterator[str]:
    spec = node.value.spec
    dns = None if spec.service_discovery is None else spec.service_discovery.dns
    if dns is None or dns.hostname.lower().removesuffix(".") != host:
        yield f"is not found at `{host}`, which it stands for"
    layers = {port.workload: port.layer for port in external.ports}
    for listener in spec.listeners or ():
        mapping = listener.port_mapping
        is_http = mapping.protocol != "tcp"
        if (layers.get(mapping.port) is Layer.HTTP) is not is_http or mapping.port not in layers:
            yield f"speaks {mapping.protocol} on {mapping.port}, which the policy does not"
        if listener.tls is not None or listener_limit(listener) is not None:
            yield f"takes connections on {mapping.port} otherwise than the host"
    if spec.backends:
        yield "calls others, and is a host outside"
