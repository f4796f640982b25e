"""What the listeners of the policy's own services take, and whether every declared port has one."""

from __future__ import annotations

from dataclasses import dataclass

from meshproof.compiler.ir.entities import Gateway, Layer, Service
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.targets.appmesh.lift.composed.admission import Admission, admissions
from meshproof.targets.appmesh.lift.composed.doubts import Doubts
from meshproof.targets.appmesh.lift.composed.wiring import Ports
from meshproof.targets.appmesh.lift.composed.workloads import ServiceNodes, Workloads


@dataclass(frozen=True, slots=True)
class Admitted:
    """The listeners of each service and gateway of the policy."""

    every: dict[NodeName, tuple[Admission, ...]]

    def at(self, node: NodeName, port: int) -> Admission | None:
        """The listener of a node on a port."""
        return next((one for one in self.every.get(node, ()) if one.port == port), None)


def admitted_by(workloads: Workloads, known: Mesh, behind: Ports, doubts: Doubts) -> Admitted:
    """The listeners, with a doubt wherever they do not fit the ports that the policy declares.

    At the ports `behind` somebody behind the node reads what comes, so its proxy need not.
    """
    every: dict[NodeName, tuple[Admission, ...]] = {}
    for one in workloads.services:
        every[one.service.name] = _of_versions(one, known, doubts)
        if one.nodes:
            _check_ports(one.service, every[one.service.name], behind, doubts)
    for edge in workloads.gateways:
        if edge.found is not None:
            every[edge.gateway.name] = admissions(edge.found, known, doubts, is_edge=True)
            _check_ports(edge.gateway, every[edge.gateway.name], behind, doubts)
    return Admitted(every)


def _of_versions(one: ServiceNodes, known: Mesh, doubts: Doubts) -> tuple[Admission, ...]:
    """The listeners of a service. Its versions are one to the policy, so they must take the same."""
    found = [admissions(node, known, doubts) for node in one.nodes]
    meanings = {frozenset(listener.meaning for listener in listeners) for listeners in found}
    if len(meanings) > 1:
        doubts.add(str(one.service.name), "has versions whose listeners take different callers", one.nodes[0].origin)
    return found[0] if found else ()


def _check_ports(node: Service | Gateway, listeners: tuple[Admission, ...], behind: Ports, doubts: Doubts) -> None:
    """A port without a listener is not the proxy's: what comes there is judged by nobody."""
    spoken = {one.port: one.spoken for one in listeners}
    for port in node.ports:
        found = spoken.get(port.workload)
        if found is None:
            doubts.add(
                str(node.name), f"has the port {port.workload}, and its proxy does not listen there", port.origin
            )
        elif (found == "tcp") != (port.layer is Layer.TCP) and (node.name, port.workload) not in behind:
            doubts.add(str(node.name), f"speaks {port.protocol} on {port.workload}, and its proxy {found}", port.origin)
