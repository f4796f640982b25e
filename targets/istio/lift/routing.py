"""All of routing and networking, put together: `lift_routing` is what the assembly of the mesh calls."""

from __future__ import annotations

from collections.abc import Iterator

from meshproof.compiler.ir.names import NodeName
from meshproof.targets.istio.lift.branches import Branches
from meshproof.targets.istio.lift.client_tls import lift_client_tls
from meshproof.targets.istio.lift.context import LiftContext
from meshproof.targets.istio.lift.destination_rules import DestinationRules
from meshproof.targets.istio.lift.destinations import Destinations, is_of_subset
from meshproof.targets.istio.lift.gateway_api import read_kube_routes
from meshproof.targets.istio.lift.gateway_routes import GatewayRoutes
from meshproof.targets.istio.lift.gateway_transport import lift_gateway_transport
from meshproof.targets.istio.lift.gateways import edges_of, listening_at, read_servers
from meshproof.targets.istio.lift.hosts import MESH
from meshproof.targets.istio.lift.kinds import Kind
from meshproof.targets.istio.lift.kube_servers import read_kube_servers
from meshproof.targets.istio.lift.mesh_routes import MeshRoutes
from meshproof.targets.istio.lift.outside import egress_of, externals_of
from meshproof.targets.istio.lift.parts import RoutingPart
from meshproof.targets.istio.lift.registry import Registry, read_registry
from meshproof.targets.istio.lift.route_model import RouteTable
from meshproof.targets.istio.lift.routing_gaps import report_gaps, unknown_ends, unknown_listeners
from meshproof.targets.istio.lift.senders import Senders
from meshproof.targets.istio.lift.sidecars import Sidecars
from meshproof.targets.istio.lift.transport import transport_of
from meshproof.targets.istio.lift.values import mappings, pairs, text, texts
from meshproof.targets.istio.lift.virtual_services import read_virtual_services


def lift_routing(context: LiftContext, *, has_transport: bool = False) -> RoutingPart:
    """Routes, externals, edges, versions and the way out, as the objects say; connections too, if that is wanted."""
    registry = read_registry(context)
    rules = DestinationRules(context)
    kube_servers = read_kube_servers(context)
    tables = (*read_kube_routes(context, registry, kube_servers), *read_virtual_services(context))
    senders = Senders(context, Sidecars(context), _label_keys(tables, rules), _namespaces(context, tables))
    destinations = Destinations(registry, rules)
    listening = listening_at((*read_servers(context), *((one.workload, one.server) for one in kube_servers)))
    routes = (
        *MeshRoutes(registry, tables, senders, destinations).routes(),
        *GatewayRoutes(tables, Branches(destinations)).routes(listening),
    )
    nameless_senders = lift_client_tls(registry, rules, senders)
    report_gaps(context, tuple(routes))
    edges = lift_gateway_transport(listening)
    egress, ways_out = egress_of(registry, senders, tuple(routes))
    return RoutingPart(
        routes=tuple(routes),
        externals=externals_of(registry),
        edges=edges_of(listening),
        egress=egress,
        rules=(*ways_out, *edges.unknown, *unknown_listeners(context), *unknown_ends(registry)),
        mtls=edges.statements,
        nameless=edges.nameless,
        client_tls=nameless_senders,
        versions=tuple(sorted(_versions(registry, rules).items())),
        transport=transport_of(listening, registry, rules, senders) if has_transport else None,
    )


def _label_keys(tables: tuple[RouteTable, ...], rules: DestinationRules) -> frozenset[str]:
    """The labels by which senders are told apart."""
    of_matches = (
        key
        for table in tables
        if MESH in table.gateways
        for rule in (*table.http, *table.opaque_tls, *table.tcp)
        for match in rule.matches
        for key, _ in match.sender_labels
    )
    return frozenset((*of_matches, *(key for rule in rules.rules for key, _ in rule.client_labels)))


def _namespaces(context: LiftContext, tables: tuple[RouteTable, ...]) -> Iterator[str]:
    """The namespaces that some object tells apart from others, besides those of workloads."""
    for kind in (Kind.SIDECAR, Kind.DESTINATION_RULE, Kind.VIRTUAL_SERVICE, Kind.SERVICE_ENTRY, Kind.HTTP_ROUTE):
        for one in context.objects.of(kind):
            yield one.namespace
            exported = (found.value for found in texts(one.spec.get("exportTo")))
            yield from (name for name in exported if name not in {"*", ".", "~"})
    for table in tables:
        for rule in table.http:
            yield from (match.sender_namespace for match in rule.matches if match.sender_namespace is not None)


def _versions(registry: Registry, rules: DestinationRules) -> dict[NodeName, tuple[str, ...]]:
    """The names under which DestinationRules know each workload as a version of a host."""
    found: dict[NodeName, set[str]] = {}
    for rule in rules.rules:
        hosts = registry.covered_by(rule.host)
        for subset in mappings(rule.source.spec.get("subsets")):
            name, labels = text(subset.get("name")) or "", pairs(subset.get("labels"))
            for workload in (one for host in hosts for one in host.workloads):
                if is_of_subset(workload, name, labels):
                    found.setdefault(workload.name, set()).add(name)
    return {name: tuple(sorted(names)) for name, names in found.items()}
