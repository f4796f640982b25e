"""The destination of a request in JSON, and what a mesh tells about it that the request may leave out."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from meshproof.compiler.ir.entities import External, Gateway, Layer, Node, Protocol, Service
from meshproof.compiler.ir.json_fields import Fields, text
from meshproof.compiler.ir.json_text import Json, JsonError, suggestion
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.ir.names_of_nodes import called_by_name
from meshproof.compiler.ir.request import RequestProtocol


@dataclass(frozen=True, slots=True)
class CalledNode:
    """What is called, and the address that was dialled."""

    node: NodeName
    ip: str | None


def read_destination(value: Json, mesh: Mesh | None) -> CalledNode:
    """`{"service": …}`, or a workload as `{"namespace": …, "labels": {…}}`, which needs a mesh. Raises `JsonError`.

    In a mesh of manifests, where names are `NAMESPACE/NAME`, a service may be named as callers do: by its bare name,
    with the `namespace` beside it or not, or by its host.
    """
    fields = Fields.of(value, ("service", "ip", "namespace", "labels"))
    ip = fields.optional("ip", address)
    service = fields.optional("service", text)
    namespace = fields.optional("namespace", text)
    labels = fields.optional("labels", _labels)
    if service is not None:
        is_lifted = mesh is not None and mesh.is_lifted
        if labels is not None or (namespace is not None and not is_lifted):
            raise JsonError("a destination is a `service`, or a `namespace` with `labels`")
        if mesh is not None and is_lifted:
            return CalledNode(called_by_name(service, namespace, mesh), ip)
        return CalledNode(_declared(service, mesh), ip)
    if namespace is None or labels is None:
        raise JsonError("a destination is a `service`, or a `namespace` with `labels`")
    if mesh is None:
        raise JsonError("a workload can be found by its labels only in a policy")
    return CalledNode(_by_labels(namespace, labels, mesh), ip)


def single_port(node: Node | None) -> int:
    """The port of a request that names none: the only one there is. Raises `JsonError`."""
    if node is None:
        raise JsonError("`port` is missing")
    if len(node.ports) != 1:
        listed = ", ".join(f"`{port.workload}`" for port in node.ports) or "none"
        raise JsonError(f"`port` is missing, and `{node.name}` listens on {listed}")
    return node.ports[0].workload


def protocol_at(node: Node | None, port: int, *, speaks_http: bool) -> RequestProtocol:
    """The protocol of a request that names none: the port's; where nobody declared it, what the fields speak."""
    if node is None:
        raise JsonError("`protocol` is missing")
    declared = next((one for one in node.ports if one.workload == port), None)
    if declared is not None and declared.layer is not Layer.SNIFFED:
        if declared.layer is Layer.TCP:
            return RequestProtocol.TCP
        return RequestProtocol.GRPC if declared.protocol is Protocol.GRPC else RequestProtocol.HTTP
    return RequestProtocol.HTTP if speaks_http else RequestProtocol.TCP


def address(value: Json) -> str:
    """An IP address."""
    found = text(value)
    try:
        ip_address(found)
    except ValueError:
        raise JsonError(f"`{found}` is no IP address") from None
    return found


def _declared(service: str, mesh: Mesh | None) -> NodeName:
    name = NodeName(service)
    if mesh is not None and mesh.node(name) is None:
        hint = suggestion(service, (node.name for node in mesh.nodes))
        raise JsonError(f"nothing that is declared is named `{service}`{hint}").within(".service")
    return name


def _labels(value: Json) -> dict[str, str]:
    if not isinstance(value, dict):
        raise JsonError("a map of labels is expected")
    fields = Fields.of(value, tuple(value))
    return {name: fields.required(name, text) for name in value}


def _by_labels(namespace: str, labels: dict[str, str], mesh: Mesh) -> NodeName:
    """The one workload of the namespace whose labels all stand in the request; else the one that has them and more."""
    workloads = [node for node in mesh.nodes if not isinstance(node, External) and node.namespace == namespace]
    found = [node for node in workloads if dict(node.labels).items() <= labels.items()]
    if len(found) > 1:
        found = _closest(found)
    if not found:
        found = [node for node in workloads if labels and labels.items() <= dict(node.labels).items()]
    if len(found) != 1:
        names = ", ".join(f"`{node.name}`" for node in found) or "no workload"
        raise JsonError(f"these labels belong to {names} in the namespace `{namespace}`").within(".labels")
    return found[0].name


def _closest(found: list[Service | Gateway]) -> list[Service | Gateway]:
    """Those that most labels describe."""
    most = max(len(node.labels) for node in found)
    return [node for node in found if len(node.labels) == most]
