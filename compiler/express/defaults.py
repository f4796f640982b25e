"""What foreign files let in where no rule decides, said out loud: Istio refuses nothing unless it is told to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from meshproof.compiler.express.names import free_name
from meshproof.compiler.express.reasons import reasons
from meshproof.compiler.ir.entities import Destination, External, Layer, Node
from meshproof.dsl.ast import rules as ast
from meshproof.dsl.ast import sets
from meshproof.dsl.ast.values import Name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from meshproof.compiler.express.destinations import Destinations
    from meshproof.compiler.express.names import Names
    from meshproof.compiler.express.ports import Ports
    from meshproof.compiler.express.wording import Wording
    from meshproof.compiler.ir.mesh import Mesh
    from meshproof.compiler.ir.names import NodeName


def open_by_default(
    mesh: Mesh, names: Names, ports: Mapping[NodeName, Ports], destinations: Destinations, wording: Wording
) -> ast.Rule | None:
    """One rule for everybody to all ports at which what no rule decides is allowed; None if there are none."""
    places = tuple(place for node in mesh.nodes if (place := _open(node, ports[node.name])) is not None)
    found = destinations.expression(places, None)
    if found is None:
        return None
    return ast.Rule(
        effect=ast.Effect.ALLOW,
        name=Name(free_name("open-by-default", _values(names))),
        sources=sets.Anyone(),
        destinations=found,
        reasons=reasons(mesh.origin, wording, has_end=False),
    )


def _values(names: Names) -> Iterable[str]:
    return names.rules.values()


def _open(node: Node, ports: Ports) -> Destination | None:
    """The ports of a node that are open on the layer that the policy has them for."""
    if isinstance(node, External) or not node.default_allow:
        return None
    guessed = {port.workload for port in node.ports if port.layer is Layer.SNIFFED}
    is_open_whatever_is_spoken = {Layer.HTTP, Layer.TCP} <= set(node.default_allow)
    found = tuple(
        port.workload
        for port in ports
        if port.layer in node.default_allow and (is_open_whatever_is_spoken or port.workload not in guessed)
    )
    return Destination(node.name, found) if found else None
