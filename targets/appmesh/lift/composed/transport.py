"""What the files say of connections beside the mesh: how gateways take them, and what proxies of callers do with them.

What callers' proxies do holds as long as those are honest; it is compared with the policy all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from meshproof.compiler.backend.transport import LiftedServer, LiftedTransport, TlsEnd
from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.patterns.pattern import lower_ascii
from meshproof.targets.appmesh.lift.composed.admission import is_of_mesh
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.order import part_of
from meshproof.targets.appmesh.lift.composed.workloads import EdgeGateway, Workloads
from meshproof.targets.appmesh.lift.found import Found, Resources
from meshproof.targets.appmesh.model.virtual_gateway import VirtualGateway


def transport_of(resources: Resources, workloads: Workloads, doubts: Doubts) -> LiftedTransport:
    """All of it. What a listener of a gateway does that no gateway of a policy does is a doubt."""
    servers = tuple(one for edge in workloads.gateways for one in _servers(resources, edge, workloads, doubts))
    return LiftedTransport(servers=servers, closed=frozenset(_closed(resources, workloads)))


def is_closed(resources: Resources) -> bool:
    """Whether proxies refuse what is no backend of theirs (App Mesh API, EgressFilter: unless it says otherwise).

    A mesh that no file has is anything.
    """
    filters = [None if one.value.spec is None else one.value.spec.egress_filter for one in resources.meshes]
    return bool(filters) and all(one is None or one.type == "DROP_ALL" for one in filters)


def _closed(resources: Resources, workloads: Workloads) -> Iterator[NodeName]:
    """The services whose proxies do; without a node there is no proxy."""
    if is_closed(resources):
        yield from (one.service.name for one in workloads.services if one.nodes)


def _servers(resources: Resources, edge: EdgeGateway, workloads: Workloads, doubts: Doubts) -> Iterator[LiftedServer]:
    found = edge.found
    if found is None:
        return
    for index, listener in enumerate(found.value.spec.listeners):
        number = listener.port_mapping.port
        end = _end(listener.tls, workloads.known.trust_domain)
        if end is None:
            doubts.add(found.name, f"takes TLS or not on {number}", found.place("spec", "listeners", index))
            continue
        for host in sorted(set(_hosts(resources, found, number))):
            yield LiftedServer(
                gateway=edge.gateway.name,
                number=_dialled(edge.gateway, number),
                workload=number,
                host=host,
                binds=edge.gateway.namespace,
                end=end,
                certificate=None if end is TlsEnd.PLAIN else _certificate(listener.tls),
                client_ca=_authority(listener.tls) if end is TlsEnd.CLIENT else None,
            )


def _hosts(resources: Resources, found: Found[VirtualGateway], number: int) -> Iterator[str]:
    """The hosts of which some route sends requests on."""
    provided = {one.name for one in resources.services if one.value.spec.provider is not None}
    for route in resources.gateway_routes:
        part = part_of(route)[1]
        is_asked = route.value.virtual_gateway_name == found.name and part.match.port in {None, number}
        if is_asked and part.action.target.virtual_service.virtual_service_name in provided:
            hostname = part.match.hostname
            if hostname is None:
                yield "*"
            else:
                yield lower_ascii(f"*{hostname.suffix}" if hostname.exact is None else hostname.exact)


def _end(tls: Any, trust_domain: str) -> TlsEnd | None:  # noqa: ANN401
    """How TLS ends; None where plaintext is taken besides."""
    if tls is None or tls.mode == "DISABLED":
        return TlsEnd.PLAIN
    if tls.mode != "STRICT":
        return None
    if tls.validation is None:
        return TlsEnd.SERVER
    return TlsEnd.MESH if is_of_mesh(tls.validation.trust, trust_domain) else TlsEnd.CLIENT


def _dialled(gateway: Gateway, number: int) -> int:
    return next((port.number for port in gateway.ports if port.workload == number), number)


def _certificate(tls: Any) -> str:  # noqa: ANN401
    """What the certificate is called where it comes from."""
    certificate = tls.certificate
    if certificate.acm is not None:
        return str(certificate.acm.certificate_arn)
    return str(certificate.file.certificate_chain if certificate.sds is None else certificate.sds.secret_name)


def _authority(tls: Any) -> str:  # noqa: ANN401
    trust = tls.validation.trust
    return str(trust.file.certificate_chain if trust.sds is None else trust.sds.secret_name)
