"""What the resources that a policy becomes are called: one place, for what writes them and what reads them back."""

from __future__ import annotations

import re
from hashlib import sha256

NOBODY = "nobody.invalid"
"""A name that no certificate holds: no authority may issue one (RFC 6761, 6.4), and none of a mesh issues DNS names."""

REFUSED = "refused.invalid"
"""The virtual service that nobody provides: where routes lead that refuse."""

SERVICE_HEADER = "x-app-mesh-virtual-service"
"""By which a gateway that leaves the host as it is knows where a request goes, behind its routes."""

_PLAIN = re.compile(r"[A-Za-z0-9-]+")
_MOST = 255
_MARK = 16


def node_name(service: str, namespace: str, version: str | None = None) -> str:
    """The virtual node of a workload, or of one of its versions."""
    return _joined(service, namespace) if version is None else _joined(service, namespace, version)


def gateway_name(gateway: str, namespace: str) -> str:
    """The virtual gateway of a gateway that the policy declares."""
    return _joined(gateway, namespace)


def gate_name(number: int) -> str:
    """The virtual gateway, counted from 1, that judges calls inside the mesh. No other name has this form."""
    return "meshproof-gate" if number == 1 else f"meshproof-gate-{number}"


def gate_node_name(gate: str) -> str:
    """The virtual node by which callers find a gate: an address, of which no proxy is a part."""
    return f"{gate}-doors"


def gate_labels(gate: str) -> tuple[tuple[str, str], ...]:
    """The labels of the pods of a gate."""
    return (("app", gate),)


def outside_name(external: str, host: str) -> str:
    """The virtual node of a host outside of the mesh: an address, of which no proxy is a part."""
    return _joined("outside", external, host)


def router_name(virtual_service: str) -> str:
    """The virtual router of a virtual service."""
    plain = virtual_service.replace(".", "_")
    if all(map(_PLAIN.fullmatch, virtual_service.split("."))) and len(plain) <= _MOST:
        return plain
    return _joined(virtual_service)


def gateway_route_name(gateway: str, number: int, priority: int) -> str:
    """The gateway route of that priority at a port. Objects of Kubernetes need a name of their own in all gateways."""
    plain = f"{gateway}-port-{number}-{priority}"
    return plain if len(plain) <= _MOST else _joined(gateway, str(number), str(priority))


def host_name(form: str, name: str, namespace: str, version: str = "") -> str:
    """The DNS name of a workload, by the form that an option gives: what callers dial, and its virtual service."""
    return form.format(name=name, namespace=namespace, version=version)


def direct_name(virtual_service: str) -> str:
    """The virtual service by which gates reach a service that its callers reach through them."""
    return f"direct.{virtual_service}"


def edge_name(virtual_service: str, branch: str, port: int) -> str:
    """The virtual service by which a branch of a policy's gateway reaches a service: limits of time are a branch's."""
    mark = sha256(f"{branch}\0{port}".encode()).hexdigest()[:_MARK]
    return f"edge-{mark}.{virtual_service}"


def _joined(*parts: str) -> str:
    """`name_namespace`, as the controller names resources; else what is left of it, with a mark of the whole.

    Other parts give another name: plain parts hold no underscore, and no plain name has two in a row. Names have 255
    characters at most, of letters, digits, hyphens and underscores (App Mesh API, ResourceName).
    """
    plain = "_".join(parts)
    if all(_PLAIN.fullmatch(one) for one in parts) and len(plain) <= _MOST:
        return plain
    mark = sha256("\0".join(parts).encode()).hexdigest()[:_MARK]
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", "-".join(parts))[: _MOST - _MARK - 2]
    return f"{stem}__{mark}"
