"""Which virtual nodes and gateways are which workloads of the policy, and which gateways are gates inside the mesh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from meshproof.compiler.ir.entities import Gateway, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName, SpiffeId
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway
from meshproof.targets.appmesh.model.virtual_node import VirtualNode
from meshproof.targets.appmesh.naming import gateway_name, node_name


@dataclass(frozen=True, slots=True)
class ServiceNodes:
    """A service with the nodes of all its versions."""

    service: Service
    nodes: tuple[Found[VirtualNode], ...]


@dataclass(frozen=True, slots=True)
class EdgeGateway:
    """A gateway of the policy; without `found` no file has it."""

    gateway: Gateway
    found: Found[VirtualGateway] | None


@dataclass(frozen=True, slots=True)
class Workloads:
    """`of_node` tells which service a virtual node is, `gates` are the gateways that the policy does not declare."""

    known: Mesh
    services: tuple[ServiceNodes, ...]
    gateways: tuple[EdgeGateway, ...]
    gates: tuple[Found[VirtualGateway], ...]
    of_node: dict[str, NodeName]
    versions: dict[str, str]

    @property
    def declared(self) -> tuple[Service | Gateway, ...]:
        """The services and gateways of the policy."""
        return (*self.known.services, *self.known.gateways)


def workloads_of(resources: Resources, known: Mesh, doubts: Doubts) -> Workloads:
    """The workloads of the policy in the resources."""
    nodes = {one.name: one for one in resources.nodes}
    of_node: dict[str, NodeName] = {}
    versions: dict[str, str] = {}
    services = []
    for service in known.services:
        names = {node_name(service.platform_name, service.namespace, one): one for one in (None, *service.versions)}
        there = tuple(nodes[name] for name in names if name in nodes)
        for one in there:
            if one.name in of_node:
                doubts.add(one.name, "is the node of two services", one.origin)
            of_node[one.name] = service.name
            version = names[one.name]
            if version is not None:
                versions[one.name] = version
            _check_shown(one, shown(one), service.identity, doubts)
        if service.ports and service.identity.trust_domain != known.trust_domain:
            doubts.add(
                str(service.name), "shows callers a certificate of an authority that they do not trust", service.origin
            )
        if service.ports and not there:
            doubts.add(str(service.name), "has ports, and no virtual node", service.origin)
        services.append(ServiceNodes(service, there))
    edges = {gateway_name(str(one.name), one.namespace): one for one in known.gateways}
    found = {one.name: one for one in resources.gateways}
    for name, gateway in edges.items():
        if name in found:
            # What it shows to the outside is no name of the mesh; how connections are taken tells of it.
            _check_shown(found[name], shown_to_others(found[name]), gateway.identity, doubts)
        else:
            doubts.add(str(gateway.name), "has no virtual gateway", gateway.origin)
    _check_addresses(resources, of_node, doubts)
    return Workloads(
        known,
        tuple(services),
        tuple(EdgeGateway(gateway, found.get(name)) for name, gateway in edges.items()),
        tuple(one for one in resources.gateways if one.name not in edges),
        of_node,
        versions,
    )


def client_identity(found: Found[Any], otherwise: SpiffeId | None = None) -> SpiffeId | None:
    """Who a proxy is as a client, by what it shows by default; `otherwise` where a file of it has the certificate."""
    policy = None if found.value.spec.backend_defaults is None else found.value.spec.backend_defaults.client_policy
    certificate = None if policy is None or policy.tls is None else policy.tls.certificate
    if certificate is None:
        return None
    return otherwise if certificate.sds is None else SpiffeId.parse(certificate.sds.secret_name)


def shown(found: Found[Any]) -> Iterator[str]:
    """The name of every certificate that SDS hands out to a node or gateway."""
    yield from shown_to_others(found)
    listeners = found.value.spec.listeners or ()
    yield from _named(one.tls.certificate for one in listeners if one.tls is not None)


def shown_to_others(found: Found[Any]) -> Iterator[str]:
    """The name of every such certificate that it shows where it is the client."""
    spec = found.value.spec
    policies = [None if spec.backend_defaults is None else spec.backend_defaults.client_policy]
    backends = (one.virtual_service for one in getattr(spec, "backends", None) or ())
    policies.extend(None if one is None else one.client_policy for one in backends)
    yield from _named(one.tls.certificate for one in policies if one is not None and one.tls is not None)


def _named(certificates: Iterable[Any]) -> Iterator[str]:
    yield from (one.sds.secret_name for one in certificates if one is not None and one.sds is not None)


def _check_shown(found: Found[Any], names: Iterable[str], identity: SpiffeId, doubts: Doubts) -> None:
    for name in names:
        if name != identity.uri:
            doubts.add(
                found.name, f"shows the certificate `{name}`, and the policy knows it as `{identity.uri}`", found.origin
            )


def _check_addresses(resources: Resources, of_node: dict[str, NodeName], doubts: Doubts) -> None:
    """Two services at one address are one to whoever calls: a request for either may come to the other."""
    seen: dict[object, NodeName] = {}
    for one in resources.nodes:
        owner, discovery = of_node.get(one.name), one.value.spec.service_discovery
        if owner is None or discovery is None:
            continue
        dns, cloud = discovery.dns, discovery.aws_cloud_map
        if dns is not None:
            key: object = dns.hostname.lower().removesuffix(".")
        elif cloud is not None:
            key = (cloud.namespace_name, cloud.service_name)
        else:
            continue
        if seen.setdefault(key, owner) != owner:
            doubts.add(one.name, f"is found where `{seen[key]}` is", one.origin)
