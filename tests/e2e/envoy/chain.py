"""Gateways that send on: two proxies in a row, with the gateway's identity towards the second."""

from __future__ import annotations

from collections.abc import Iterator

from tests.e2e.envoy.ground import Use
from tests.e2e.envoy.listeners import Address, World, connection_manager, listener, server_tls
from tests.e2e.envoy.meshes import Fleet, pod_of, upstream
from tests.e2e.envoy.rbac import TYPE, Config
from tests.e2e.envoy.routing import Sender, clusters_of, prefixed, route_config
from tests.e2e.envoy.workloads import Cluster, read_cluster

from meshproof.compiler.ir.entities import Gateway, Protocol
from meshproof.compiler.ir.mesh import Mesh
from meshproof.targets.istio import TARGET
from meshproof.targets.istio.lower import IstioLowered


def add_chain(fleet: Fleet, mesh: Mesh, lowered: IstioLowered) -> dict[tuple[str, int], Address]:
    """Put a mesh on the air with gateways that send on; where they listen, by name and port."""
    number = fleet.add(mesh, lowered)
    cluster = read_cluster(TARGET.emit(lowered))
    world = World(fleet.authority, fleet.mint, (mesh.trust_domain, *mesh.aliases, *mesh.trusts))
    found: dict[tuple[str, int], Address] = {}
    for index, gateway in enumerate(mesh.gateways):
        for port in gateway.ports:
            config = _routes(cluster, gateway, port.number, f"{number} ")
            fleet.clusters += list(_clusters(fleet, mesh, gateway, number, config))
            manager = connection_manager(
                cluster, pod_of(gateway), world, config, trusted_proxies=gateway.trusted_proxies
            )
            chain: Config = {"filters": [manager]}
            if port.protocol is Protocol.HTTPS:
                chain["transport_socket"] = server_tls(world, {}, asks=False)
            address = (fleet.ground.host(Use.CHAIN, number, index + 1), port.workload)
            fleet.listeners.append(listener(f"chain {address}", address, [chain]))
            found[str(gateway.name), port.workload] = address
    return found


def _routes(cluster: Cluster, gateway: Gateway, port: int, prefix: str) -> Config:
    owner = Sender(gateway.namespace, f"{gateway.namespace}/meshproof-{gateway.name}")
    return prefixed(route_config(cluster, owner, port), prefix)


def _clusters(fleet: Fleet, mesh: Mesh, gateway: Gateway, number: int, config: Config) -> Iterator[Config]:
    """The endpoints of each destination: the proxy of the workload, called with mTLS unless it is disabled there."""
    known = {one["name"] for one in fleet.clusters}
    for name in sorted(clusters_of(config) - known):
        _, port, _, host = name.removeprefix(f"{number} ").split("|")
        service = next(one for one in mesh.services if host.startswith(f"{one.platform_name}.{one.namespace}."))
        workload = next(one.workload for one in service.ports if one.number == int(port))
        found = upstream(name, fleet.places[number, str(service.name), workload])
        is_plain = any("DISABLED" in repr(policy) and f"'{service.name}'" in repr(policy) for policy in mesh.mtls)
        yield found if is_plain else {**found, "transport_socket": _mutual(fleet, gateway)}


def _mutual(fleet: Fleet, gateway: Gateway) -> Config:
    pair = fleet.authority.of(gateway.identity.uri)
    certificate = {
        "certificate_chain": {"filename": str(pair.certificate)},
        "private_key": {"filename": str(pair.key)},
    }
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPE}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "common_tls_context": {
                "tls_certificates": [certificate],
                "alpn_protocols": ["istio-http/1.1"],
                "validation_context": {"trusted_ca": {"filename": str(fleet.authority.root)}},
            },
        },
    }
