"""Routes of gateways whose ports files do not show: what is refused at a guessed port may be let in at the real one."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from meshproof.compiler.ir.entities import Gateway
from meshproof.compiler.ir.mesh import Mesh
from meshproof.compiler.ir.names import NodeName
from meshproof.compiler.verify.semantic_diff_values import Edit, EditKind, Undecided
from meshproof.compiler.verify.unseen_ports import ports_in_rules


def unseen_routes(meshes: tuple[Mesh, Mesh], silent: Collection[Edit]) -> Iterator[Undecided]:
    """The gateways whose routes differ, to all appearances without effect, and whose rules speak of other ports."""
    changed = {edit.subject for edit in silent if edit.kind is EditKind.ROUTE}
    nodes = {str(route.node) for mesh in meshes for route in mesh.routes if str(route.id) in changed}
    told: set[NodeName] = set()
    for mesh in meshes:
        for gateway in mesh.gateways:
            other = _other_ports(mesh, gateway)
            if gateway.name in nodes and gateway.name not in told and not gateway.are_ports_known and other:
                told.add(gateway.name)
                numbers = ", ".join(map(str, sorted(other)))
                reason = f"its routes differ, and no Service says whether they are those of port {numbers}"
                yield Undecided(f"gateway {gateway.name}", reason)


def _other_ports(mesh: Mesh, gateway: Gateway) -> frozenset[int]:
    """The ports of which rules about the gateway speak, and at which it is not known to listen."""
    return ports_in_rules(mesh, gateway) - {port.workload for port in gateway.ports}
